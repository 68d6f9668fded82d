/* SPDX-License-Identifier: MIT */
#include "client/targets.h"

#include "common/mem.h"
#include "common/text.h"

#include <assert.h>
#include <stdarg.h>

__attribute__((format(printf, 3, 4))) static int fault_at(struct targets_fault *fault, size_t line,
                                                          const char *format, ...)
{
    va_list list;

    va_start(list, format);
    fault->line = line;
    vsnprintf(fault->what, sizeof(fault->what), format, list);
    va_end(list);
    return -EINVAL;
}

/* ---- one target ------------------------------------------------------------------------------ */

static struct slice *take_kind(struct slice *entry, struct msg_selector *selector)
{
    if (slice_take(entry, SLICE("user:")))
        return &selector->user;
    if (slice_take(entry, SLICE("session:")))
        return &selector->session;
    if (slice_take(entry, SLICE("id:")))
        return &selector->id;
    return &selector->name;
}

static int read_selector(struct slice entry, size_t line, struct msg_selector *ret_selector,
                         struct targets_fault *fault)
{
    struct msg_selector selector = {0};
    struct text_fault text_fault;
    struct slice *value;

    if (slice_eq(entry, SLICE("*"))) {
        *ret_selector = (struct msg_selector){.all = true};
        return 0;
    }
    value = take_kind(&entry, &selector);
    if (entry.len == 0)
        return fault_at(fault, line, "a name is missing");
    if (entry.len > LIM_NAME)
        return fault_at(fault, line, "a name has at most %d bytes", LIM_NAME);
    if (text_check_line(entry, &text_fault) < 0)
        return fault_at(fault, line, "not a name: %s", text_fault.what);
    *value = entry;
    *ret_selector = selector;
    return 0;
}

int targets_from_word(const char *word, struct targets *ret_targets,
                      struct targets_fault *ret_fault)
{
    struct msg_selector selector;
    struct targets targets = {.n = 1};
    int r = read_selector(slice_of(word), 0, &selector, ret_fault);

    if (r < 0)
        return r;
    targets.items = malloc(sizeof(*targets.items));
    if (!targets.items)
        return -ENOMEM;
    targets.items[0] = selector;
    *ret_targets = targets;
    return 0;
}

/* ---- a file of them -------------------------------------------------------------------------- */

struct reader {
    struct slice rest; /* of the file */
    size_t line;
    bool in_line;   /* something of this line was read */
    size_t entries; /* duplicates included */
    size_t used;    /* of targets.memory */
    struct targets targets;
    struct targets_fault *fault;
};

static bool is_end_of_line(struct slice rest)
{
    return rest.ptr[0] == '\n' || (rest.ptr[0] == '\r' && rest.len > 1 && rest.ptr[1] == '\n');
}

static void next_line(struct reader *reader)
{
    slice_take_line(&reader->rest);
    reader->line++;
    reader->in_line = false;
}

/* Skips blanks, ends of lines and comments; false at the end of the file. */
static bool next_entry(struct reader *reader)
{
    while (reader->rest.len > 0) {
        char c = reader->rest.ptr[0];
        if (is_end_of_line(reader->rest) || (c == '#' && !reader->in_line)) {
            next_line(reader);
        } else if (c == ' ' || c == '\t') {
            reader->rest = slice_from(reader->rest, 1);
            reader->in_line = true;
        } else {
            return true;
        }
    }
    return false;
}

/* Copies one entry without its quotes into the memory. */
static int read_entry(struct reader *reader, struct slice *ret_entry)
{
    char *start = reader->targets.memory + reader->used;
    size_t len = 0;
    bool quoted = false;

    reader->in_line = true;
    while (reader->rest.len > 0 && !is_end_of_line(reader->rest)) {
        char c = reader->rest.ptr[0];
        if (!quoted && (c == ' ' || c == '\t'))
            break;
        if (c == '"')
            quoted = !quoted;
        else
            start[len++] = c;
        reader->rest = slice_from(reader->rest, 1);
    }
    if (quoted)
        return fault_at(reader->fault, reader->line, "a double quote is not closed");
    reader->used += len;
    *ret_entry = (struct slice){start, len};
    return 0;
}

/* Everybody has no name at all. */
static bool same(const struct msg_selector *a, const struct msg_selector *b)
{
    return slice_eq(a->name, b->name) && slice_eq(a->user, b->user) &&
           slice_eq(a->session, b->session) && slice_eq(a->id, b->id);
}

static void add(struct targets *targets, const struct msg_selector *selector)
{
    for (size_t i = 0; i < targets->n; i++) {
        if (same(&targets->items[i], selector))
            return;
    }
    targets->items[targets->n++] = *selector;
}

static int take_entry(struct reader *reader)
{
    bool quoted = reader->rest.ptr[0] == '"';
    struct msg_selector selector;
    struct slice entry;
    int r = read_entry(reader, &entry);

    if (r < 0)
        return r;
    if (entry.len > 0 && entry.ptr[0] == '@' && !quoted)
        return fault_at(reader->fault, reader->line, "target files do not nest");
    if (++reader->entries > LIM_TARGETS)
        return fault_at(reader->fault, reader->line, "more than %d targets", LIM_TARGETS);
    r = read_selector(entry, reader->line, &selector, reader->fault);
    if (r == 0)
        add(&reader->targets, &selector);
    return r;
}

static int read_all(struct reader *reader)
{
    int r = 0;

    slice_take(&reader->rest, SLICE("\xEF\xBB\xBF"));
    while (r == 0 && next_entry(reader))
        r = take_entry(reader);
    if (r == 0 && reader->targets.n == 0)
        r = fault_at(reader->fault, 0, "no target in it");
    return r;
}

int targets_from_file(struct slice file, struct targets *ret_targets,
                      struct targets_fault *ret_fault)
{
    struct reader reader = {.rest = file, .line = 1, .fault = ret_fault};
    int r = -ENOMEM;

    if (file.len > LIM_TARGET_FILE)
        return fault_at(ret_fault, 0, "a target file has at most %d bytes", LIM_TARGET_FILE);
    reader.targets.memory = malloc(file.len + 1);
    reader.targets.items = calloc(LIM_TARGETS, sizeof(*reader.targets.items));
    if (reader.targets.memory && reader.targets.items)
        r = read_all(&reader);
    if (r < 0)
        targets_release(&reader.targets);
    else
        *ret_targets = reader.targets;
    return r;
}

void targets_release(struct targets *targets)
{
    free(targets->items);
    free(targets->memory);
    *targets = (struct targets){0};
}

/* ---- requests -------------------------------------------------------------------------------- */

#define SELECTOR_MORE 12  /* bytes around a selector's name: a map, a key, a string's head */
#define REQUEST_MORE  512 /* all of SEND but targets, text and title: generously */
#define REQUEST_ROOM  (LIM_PLAINTEXT - LIM_TEXT - LIM_TITLE - REQUEST_MORE)

/* Every request but the last is full in number or in bytes, and a file has few of either. */
static_assert(LIM_TARGETS / LIM_SELECTORS + 2 +
                      (LIM_TARGET_FILE + LIM_TARGETS * SELECTOR_MORE) /
                          (REQUEST_ROOM - LIM_NAME - SELECTOR_MORE) <=
                  TARGETS_REQUESTS,
              "a file's targets fit into so many requests");

static size_t room_of(const struct msg_selector *selector)
{
    return selector->user.len + selector->session.len + selector->id.len + selector->name.len +
           SELECTOR_MORE;
}

struct msg_selector_list targets_request(const struct targets *targets, size_t from)
{
    struct msg_selector_list list = {targets->items + from, 0};
    size_t room = REQUEST_ROOM;

    while (from + list.n < targets->n && list.n < LIM_SELECTORS &&
           room_of(&list.items[list.n]) <= room) {
        room -= room_of(&list.items[list.n]);
        list.n++;
    }
    return list;
}
