/* The machine that the program runs on: its processor and the time that passes there. */
#ifndef CUONN_BASE_MACHINE_H
#define CUONN_BASE_MACHINE_H

/* Seconds of a clock that only goes forward. */
double machine_seconds(void);

/* The processor's name as the system knows it, "unknown" where it does not. */
const char *machine_processor(void);

/* Highest present clock of a processor in Hz, as the system tells it; 0 where it does not. */
double machine_clock(void);

#endif
