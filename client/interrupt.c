/* SPDX-License-Identifier: MIT */
#include "client/interrupt.h"

#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

static const int NUMBERS[INTERRUPTS] = {SIGINT, SIGTERM, SIGHUP};
static bool ignored[INTERRUPTS];

static void on_early_signal(int number)
{
    _exit(128 + number);
}

static void end_at_once(void)
{
    const struct sigaction action = {.sa_handler = on_early_signal};

    for (int i = 0; i < INTERRUPTS; i++) {
        if (!ignored[i])
            sigaction(NUMBERS[i], &action, NULL);
    }
}

void interrupt_start(void)
{
    struct sigaction before;

    for (int i = 0; i < INTERRUPTS; i++)
        ignored[i] = sigaction(NUMBERS[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN;
    end_at_once();
    signal(SIGPIPE, SIG_IGN);
}

void interrupt_begin(uv_signal_t signals[INTERRUPTS], uv_loop_t *loop, uv_signal_cb callback,
                     void *data)
{
    for (int i = 0; i < INTERRUPTS; i++) {
        if (ignored[i])
            continue;
        if (signals[i].loop == NULL)
            uv_signal_init(loop, &signals[i]);
        signals[i].data = data;
        uv_signal_start(&signals[i], callback, NUMBERS[i]);
    }
}

void interrupt_end(uv_signal_t signals[INTERRUPTS])
{
    for (int i = 0; i < INTERRUPTS; i++) {
        if (!ignored[i])
            uv_signal_stop(&signals[i]);
    }
    end_at_once();
}
