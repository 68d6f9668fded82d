/* SPDX-License-Identifier: MIT */
#include "daemon/net_readers.h"

#include <stdlib.h>
#include <utlist.h>

/* ---- texts ----------------------------------------------------------------------------------- */

size_t held_size(const struct held_new *from)
{
    size_t bytes =
        sizeof(struct held_message) + from->sender.len + from->title.len + from->text.len;

    for (size_t i = 0; i < from->answers.n; i++)
        bytes += from->answers.items[i].len;
    return bytes;
}

static struct slice copy(char **at, struct slice from)
{
    struct slice copied = {*at, from.len};

    if (from.len > 0)
        memcpy(*at, from.ptr, from.len);
    *at += from.len;
    return copied;
}

struct held_message *held_make(struct readers *readers, const struct held_new *from)
{
    size_t bytes = held_size(from);
    struct held_message *message = malloc(bytes);
    char *at = (char *)(message + 1);

    if (!message)
        return NULL;
    *message = (struct held_message){.references = 1,
                                     .bytes = bytes,
                                     .at = from->at,
                                     .wait = from->wait,
                                     .local = from->local,
                                     .name = from->name};
    message->sender = copy(&at, from->sender);
    message->title = copy(&at, from->title);
    message->text = copy(&at, from->text);
    for (; message->n_answers < from->answers.n; message->n_answers++)
        message->answers[message->n_answers] = copy(&at, from->answers.items[message->n_answers]);
    readers->held += bytes;
    return message;
}

void held_drop(struct readers *readers, struct held_message *message)
{
    if (--message->references > 0)
        return;
    readers->held -= message->bytes;
    free(message);
}

/* ---- entries --------------------------------------------------------------------------------- */

static struct reader *find_reader(const struct readers *readers, uint32_t uid)
{
    struct reader *reader;

    HASH_FIND(hh, readers->table, &uid, sizeof(uid), reader);
    return reader;
}

static struct reader *make_reader(struct readers *readers, uint32_t uid)
{
    struct reader *reader = find_reader(readers, uid);

    if (reader)
        return reader;
    reader = calloc(1, sizeof(*reader));
    if (!reader)
        return NULL;
    reader->uid = uid;
    HASH_ADD(hh, readers->table, uid, sizeof(uid), reader);
    if (reader->hh.tbl)
        return reader;
    free(reader);
    return NULL;
}

struct reader_entry *reader_add(struct readers *readers, uint32_t uid, struct held_message *message)
{
    struct reader *reader = make_reader(readers, uid);
    struct reader_entry *entry;

    if (!reader || reader->last_number == UINT32_MAX)
        return NULL;
    entry = calloc(1, sizeof(*entry));
    if (!entry)
        return NULL;
    entry->uid = uid;
    entry->number = ++reader->last_number;
    entry->message = message;
    message->references++;
    DL_APPEND(reader->entries, entry);
    return entry;
}

void reader_entry_opens(struct reader_entry *entry, struct book_request *request, const char *sess)
{
    if (!entry->request)
        snprintf(entry->sess, sizeof(entry->sess), "%s", sess);
    entry->request = request;
    entry->open++;
}

static void release_entry(struct readers *readers, struct reader *reader,
                          struct reader_entry *entry)
{
    DL_DELETE(reader->entries, entry);
    held_drop(readers, entry->message);
    free(entry);
}

/* An ended one. */
static void forget(struct readers *readers, struct reader_entry *entry)
{
    struct reader *reader = find_reader(readers, entry->uid);

    DL_DELETE2(readers->ended, entry, older_prev, older_next);
    reader->ended--;
    release_entry(readers, reader, entry);
}

void reader_entry_closes(struct readers *readers, struct reader_entry *entry)
{
    if (--entry->open == 0)
        release_entry(readers, find_reader(readers, entry->uid), entry);
}

static void forget_oldest_of(struct readers *readers, struct reader *reader)
{
    struct reader_entry *entry;

    DL_FOREACH2(readers->ended, entry, older_next)
    {
        if (entry->uid == reader->uid) {
            forget(readers, entry);
            return;
        }
    }
}

static void end_entry(struct readers *readers, struct reader_entry *entry, struct moment now)
{
    struct reader *reader = find_reader(readers, entry->uid);

    entry->request = NULL;
    entry->ended = now.wall;
    entry->ended_ms = now.ms;
    DL_APPEND2(readers->ended, entry, older_prev, older_next);
    if (++reader->ended > LIM_RECENT)
        forget_oldest_of(readers, reader);
}

/*
 * Several deliveries make one entry: what its user did counts before what happened to the rest, and
 * something on a screen before something that failed.
 */
void reader_entry_enters(struct readers *readers, struct reader_entry *entry,
                         const struct delivery_event *event, struct moment now)
{
    bool others = event->why == WHY_ANSWERED_ELSEWHERE;
    bool still_up = entry->state == DELIVERY_DISPLAYED && entry->open > 1;

    if (entry->state != DELIVERY_ACKNOWLEDGED && !others &&
        (!still_up || event->st == DELIVERY_ACKNOWLEDGED))
        entry->state = event->st;
    if (event->fin && --entry->open == 0)
        end_entry(readers, entry, now);
}

const struct reader_entry *reader_first(const struct readers *readers, uint32_t uid)
{
    const struct reader *reader = find_reader(readers, uid);

    return reader ? reader->entries : NULL;
}

struct reader_entry *reader_find(const struct readers *readers, uint32_t uid, uint32_t number)
{
    const struct reader *reader = find_reader(readers, uid);
    struct reader_entry *entry;

    if (!reader)
        return NULL;
    DL_SEARCH_SCALAR(reader->entries, entry, number, number);
    return entry;
}

/* ---- forgetting ------------------------------------------------------------------------------ */

void readers_sweep(struct readers *readers, int64_t now_ms)
{
    while (readers->ended && readers->ended->ended_ms + LIM_RECENT_TIME <= now_ms)
        forget(readers, readers->ended);
}

void readers_make_room(struct readers *readers, size_t bytes, size_t limit)
{
    while (readers->ended && (bytes > limit || readers->held > limit - bytes))
        forget(readers, readers->ended);
}

void readers_clear(struct readers *readers)
{
    struct reader *reader, *next;
    struct reader_entry *entry, *after;

    HASH_ITER(hh, readers->table, reader, next)
    {
        DL_FOREACH_SAFE(reader->entries, entry, after)
        release_entry(readers, reader, entry);
        HASH_DEL(readers->table, reader);
        free(reader);
    }
    readers->ended = NULL;
}
