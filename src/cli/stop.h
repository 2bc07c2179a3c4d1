/* Ctrl-C, SIGTERM, and a terminal that goes away (SIGHUP), for commands that train. */
#ifndef CUONN_CLI_STOP_H
#define CUONN_CLI_STOP_H

/* The first signal asks for an end; the second finds the default action, which is death. Ignored signals stay ignored:
 * a shell script's background jobs live through the script's Ctrl-C, and what nohup starts through the end of its terminal. */
void cli_catch_signals(void);

#endif
