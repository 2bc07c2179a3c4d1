/* Ctrl-C and SIGTERM for commands that train. */
#ifndef CUONN_CLI_STOP_H
#define CUONN_CLI_STOP_H

/* The first signal asks for an end; the second finds the default action, which is death. Ignored signals stay ignored:
 * a shell script's background jobs live through the script's Ctrl-C. */
void cli_catch_signals(void);

#endif
