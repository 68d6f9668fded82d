/* SPDX-License-Identifier: MIT */
/*
 * Where sessions are known from, joined: logind, utmp and the table of processes. Owns the three,
 * and says when one of them has news. Processes tell nothing by themselves: they are looked at for
 * at most about one part in a hundred of a processor's time, and at once (but never for more than
 * one part in ten) when logind or utmp have news.
 */
#ifndef MSG_DAEMON_PRESENT_SOURCES_H
#define MSG_DAEMON_PRESENT_SOURCES_H

#include "daemon/present_fact.h"
#include "daemon/present_user.h"

#define SCAN_PERIOD_MS 1000 /* at least between two looks at the processes, without news */
#define SCAN_SHARE     100  /* a look may come after so many times what the last one took */
#define SCAN_NEWS      10   /* the same, with news */
#define SCAN_AGAIN_MS  100  /* after news: a login is told of before its shell has the terminal */
#define SCAN_AGAIN     4    /* so many times, after twice the time each */

struct sources_config {
    const char *utmp;         /* the path; borrowed */
    const char *system_bus;   /* its address, borrowed; empty: logind is not asked, and utmp alone
                               tells of sessions */
    struct user_cache *users; /* borrowed */
    void (*on_change)(void *userdata);
    void *userdata;
};

struct sources;

int sources_new(sd_event *event, const struct sources_config *config, struct sources **ret_sources);
void sources_free(struct sources *sources);

/* The look of a session_source: userdata is a struct sources. */
void sources_look(void *userdata, struct fact_list *facts);

/* When the processes may be looked at again, after a look that took so long and ended then. */
uint64_t sources_next_scan_ms(uint64_t ended_ms, uint64_t took_us, bool news);

#endif
