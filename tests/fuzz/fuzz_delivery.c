/* SPDX-License-Identifier: MIT */
/*
 * Any sequence of events: one final event for each delivery, nothing after it, and an end in time.
 * Input: flags, time, number of deliveries, then 5 bytes an event: kind, d, state, why, time
 * passed.
 */
#include <stdlib.h>

#include "protocol/delivery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth)
        abort();
}

static void check_log(const struct request *request)
{
    bool ended[256] = {false};
    uint32_t open = request->n;

    for (uint32_t q = 0; q < request->q; q++) {
        const struct delivery_event *line = request_log_after(request, q);
        require(line && line->d >= 1 && line->d <= request->n && !ended[line->d]);
        ended[line->d] = line->fin;
        open -= line->fin;
    }
    require(open == request->open && !request_log_after(request, request->q));
}

static void live(struct request *request, const uint8_t *data, size_t size)
{
    struct moment now = {.ms = 1};
    struct request_event event = {.kind = EVENT_START};
    struct request_actions actions;
    bool finished = false;

    for (; size >= 5; data += 5, size -= 5) {
        request_step(request, &event, now, &actions);
        require(actions.n <= request->n && !(finished && actions.finished));
        finished |= actions.finished;
        require(finished == request_finished(request));
        now.ms += data[4] * 16;
        event = (struct request_event){
            .kind = (enum request_event_kind)(data[0] % EVENT_KINDS),
            .d = data[1],
            .state = (enum delivery_state)(data[2] % DELIVERY_STATE_COUNT),
            .why = (enum delivery_why)(data[3] % WHY_COUNT),
            .answer = data[3] % 9,
            .lasting = data[2] & 128,
        };
    }
    check_log(request);
    now.ms += 1 << 20;
    request_step(request, &(struct request_event){.kind = EVENT_TICK}, now, &actions);
    require(!request->started || request_finished(request));
    check_log(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t users[255];
    struct request request;

    if (size < 3 || data[2] == 0)
        return 0;
    struct request_terms terms = {.wait = data[0] & 1,
                                  .each = data[0] & 2,
                                  .failures = data[0] >> 7,
                                  .lost_ms = (data[0] >> 2) * 64,
                                  .time_ms = 1 + data[1] * 256};
    for (uint32_t i = 0; i < data[2]; i++)
        users[i] = i % 3;
    if (request_init(&request, &terms, users, data[2]) < 0)
        return 0;
    live(&request, data + 3, size - 3);
    request_release(&request);
    return 0;
}
