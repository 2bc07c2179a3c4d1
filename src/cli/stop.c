#include "cli/stop.h"

#include <signal.h>
#include <stddef.h>

#include "cuonn/status.h"

static void on_signal(int number) {
  (void)number;
  cuonn_request_stop();
}

void cli_catch_signals(void) {
  const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    /* no SA_RESTART: a call that waits for another program returns, and the request is seen */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}, old;
    sigaction(numbers[i], NULL, &old);
    if (old.sa_handler != SIG_IGN) sigaction(numbers[i], &action, NULL);
  }
}
