/* SPDX-License-Identifier: MIT */
#include "daemon/present_sources.h"

#include "common/clock.h"
#include "common/mem.h"
#include "daemon/present_logind.h"
#include "daemon/present_merge.h"
#include "daemon/present_utmp.h"

#include <grp.h>

struct sources {
    void (*on_change)(void *userdata);
    void *userdata;
    struct utmp_source utmp;
    struct logind *logind; /* NULL: it is not asked */
    struct tree tree;
    bool news; /* since the last look at the processes */
    sd_event_source *again;
    unsigned looks; /* after the last news */
    uint64_t ended_ms, took_us;
};

/* ---- processes ------------------------------------------------------------------------------- */

uint64_t sources_next_scan_ms(uint64_t ended_ms, uint64_t took_us, bool news)
{
    uint64_t pause_ms = took_us * (news ? SCAN_NEWS : SCAN_SHARE) / 1000;
    return ended_ms + (news || pause_ms > SCAN_PERIOD_MS ? pause_ms : SCAN_PERIOD_MS);
}

/* What cannot be looked at now is as it was. */
static void scan(struct sources *sources)
{
    uint64_t began_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
    struct proc_table table;
    struct tree tree;
    if (proc_scan(&table) == 0 && tree_build(&table, &tree) == 0) {
        tree_free(&sources->tree);
        sources->tree = tree;
    }
    sources->took_us = clock_us(CLOCK_THREAD_CPUTIME_ID) - began_us;
    sources->ended_ms = clock_ms(CLOCK_MONOTONIC);
    sources->news = false;
}

static void scan_if_due(struct sources *sources)
{
    uint64_t now_ms = clock_ms(CLOCK_MONOTONIC);
    if (sources->ended_ms == 0 ||
        now_ms >= sources_next_scan_ms(sources->ended_ms, sources->took_us, sources->news))
        scan(sources);
}

/* ---- all of them ----------------------------------------------------------------------------- */

void sources_look(void *userdata, struct fact_list *facts)
{
    struct sources *sources = userdata;
    const struct login_record *records[LIM_SESSIONS];
    struct fact_list logins = {0};
    struct merge_input input = {.records = records,
                                .logins = &logins,
                                .tree = &sources->tree,
                                .tree_adds = sources->logind != NULL,
                                .look = device_look};
    scan_if_due(sources);
    utmp_look(&sources->utmp, &logins);
    fact_sort(&logins);
    if (sources->logind) {
        input.record_count = logind_records(sources->logind, records, ARRAY_SIZE(records));
        facts->pending = facts->pending || logind_is_pending(sources->logind);
    }
    facts->pending = facts->pending || logins.pending;
    facts->incomplete = facts->incomplete || logins.incomplete;
    merge(&input, facts);
    fact_list_free(&logins);
}

static void look_again(struct sources *sources)
{
    if (sources->looks >= SCAN_AGAIN)
        return;
    sd_event_source_set_time_relative(sources->again, (SCAN_AGAIN_MS * 1000U) << sources->looks);
    sd_event_source_set_enabled(sources->again, SD_EVENT_ONESHOT);
    sources->looks++;
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct sources *sources = userdata;
    (void)source;
    (void)usec;
    sources->news = true;
    look_again(sources);
    sources->on_change(sources->userdata);
    return 0;
}

static void take_news(struct sources *sources)
{
    sources->news = true;
    sources->looks = 0;
    look_again(sources);
}

static void on_utmp(void *userdata)
{
    struct sources *sources = userdata;
    take_news(sources);
    sources->on_change(sources->userdata);
}

static void on_logind(void *userdata, bool anew)
{
    struct sources *sources = userdata;
    if (anew)
        take_news(sources);
    sources->on_change(sources->userdata);
}

int sources_new(sd_event *event, const struct sources_config *config, struct sources **ret_sources)
{
    const struct group *utmp = getgrnam("utmp");
    CLEANUP_FREE struct sources *sources = calloc(1, sizeof(*sources));
    if (!sources)
        return -ENOMEM;
    sources->on_change = config->on_change;
    sources->userdata = config->userdata;
    sources->utmp = (struct utmp_source){
        .path = config->utmp,
        .users = config->users,
        .utmp_group = utmp ? utmp->gr_gid : (gid_t)-1,
        .event = event,
        .on_change = on_utmp,
        .userdata = sources,
    };
    const struct logind_config logind = {config->system_bus, LOGIND_DEADLINE_MS, LOGIND_PAUSE_MS,
                                         on_logind, sources};
    int r = sd_event_add_time(event, &sources->again, CLOCK_MONOTONIC, 0, 1000, on_again, sources);
    if (r >= 0)
        r = sd_event_source_set_enabled(sources->again, SD_EVENT_OFF);
    if (r >= 0 && logind.address[0] != '\0')
        r = logind_new(event, &logind, &sources->logind);
    if (r < 0) {
        sd_event_source_disable_unref(sources->again);
        return r;
    }
    *ret_sources = TAKE(sources);
    return 0;
}

void sources_free(struct sources *sources)
{
    if (!sources)
        return;
    utmp_close(&sources->utmp);
    logind_free(sources->logind);
    sd_event_source_disable_unref(sources->again);
    tree_free(&sources->tree);
    free(sources);
}
