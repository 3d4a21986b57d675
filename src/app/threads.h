/* The threads of a process, as base/threads.h wants them: a mutex and a condition of the system. Threads: any. */
#ifndef APP_THREADS_H
#define APP_THREADS_H

#include "base/threads.h"

extern const struct threads system_threads;

#endif
