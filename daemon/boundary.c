/* SPDX-License-Identifier: MIT */
#include "daemon/boundary.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* ---- what present.def says, as tables -------------------------------------------------------- */

/* A record is sent as its struct lies in memory: its fields must leave no hole. */
#define VERB(NAME, name, to, text) enum { FIELDS_##NAME = 0
#define NUM(type, field)           +sizeof(type)
#define UPTO(field, max)           +sizeof(uint32_t)
#define STR(field, size)           +size
#define END(name)                                                                                  \
    }                                                                                              \
    ;
#include "daemon/present.def"

#define VERB(NAME, name, to, text)                                                                 \
    _Static_assert(FIELDS_##NAME == sizeof(struct boundary_##name), #name " has a hole");          \
    _Static_assert(sizeof(struct boundary_header) + FIELDS_##NAME + (text) <= LIM_DATAGRAM, #name);
#include "daemon/present.def"

static bool string_fits(const char *string, size_t size)
{
    size_t len = strnlen(string, size);

    for (size_t i = len; i < size; i++)
        if (string[i] != 0)
            return false;
    return len < size;
}

/* fits_NAME: every field of the record is within its limit. */
#define VERB(NAME, name, to, text)                                                                 \
    static bool fits_##name(const struct boundary_message *message)                                \
    {                                                                                              \
        const struct boundary_##name *record = &message->u.name;                                   \
        (void)record;                                                                              \
        return true
#define UPTO(field, max) &&record->field <= (uint32_t)(max)
#define STR(field, size) &&string_fits(record->field, size)
#define END(name)                                                                                  \
    ;                                                                                              \
    }
#include "daemon/present.def"

static void string_pad(char *string, size_t size)
{
    size_t len = strnlen(string, size);

    memset(string + len, 0, size - len);
}

/* pad_NAME: what lies behind the end of each string is zeroed. */
#define VERB(NAME, name, to, text)                                                                 \
    static void pad_##name(struct boundary_message *message)                                       \
    {                                                                                              \
        struct boundary_##name *record = &message->u.name;                                         \
        (void)record;
#define STR(field, size) string_pad(record->field, size);
#define END(name)        }
#include "daemon/present.def"

static const struct verb {
    size_t size; /* of its record */
    size_t text;
    unsigned to;
    bool (*fits)(const struct boundary_message *message);
    void (*pad)(struct boundary_message *message);
} verbs[BOUNDARY_VERBS] = {
#define VERB(NAME, name, to, text)                                                                 \
    {sizeof(struct boundary_##name), text, BOUNDARY_TO_##to, fits_##name, pad_##name},
#include "daemon/present.def"
};

/* The definitions themselves: ends built from different ones differ in their hello. */
static const char layout[] =
#define VERB(NAME, name, to, text) #NAME " " #to " " #text " {"
#define NUM(type, field)           #type " " #field ";"
#define UPTO(field, max)           #field "<=" #max ";"
#define STR(field, size)           #field "[" #size "];"
#define END(name)                  "}"
#include "daemon/present.def"
    ;

/* ---- datagrams ------------------------------------------------------------------------------- */

static const char *refuse_header(const struct boundary_header *header, enum boundary_to to,
                                 size_t len)
{
    if (header->verb >= BOUNDARY_VERBS)
        return "unknown verb";

    const struct verb *verb = &verbs[header->verb];

    if (!(verb->to & (unsigned)to))
        return "a verb that is not for this end";
    if (header->len > verb->text)
        return "too much text";
    if (len != sizeof(*header) + verb->size + header->len)
        return "inexact length";
    return NULL;
}

int boundary_decode(struct boundary_message *ret_message, enum boundary_to to, const void *datagram,
                    size_t len, const char **ret_reason)
{
    const char *bytes = datagram;
    struct boundary_header header;
    struct boundary_message message = {0};
    const char *reason = "no header";

    if (len >= sizeof(header)) {
        memcpy(&header, bytes, sizeof(header));
        reason = refuse_header(&header, to, len);
    }
    if (reason == NULL) {
        message.verb = (enum boundary_verb)header.verb;
        memcpy(&message.u, bytes + sizeof(header), verbs[header.verb].size);
        message.text = bytes + sizeof(header) + verbs[header.verb].size;
        message.text_len = header.len;
        if (!verbs[header.verb].fits(&message))
            reason = "a field beyond its limit";
    }
    if (reason != NULL) {
        *ret_reason = reason;
        return -EBADMSG;
    }
    *ret_message = message;
    return 0;
}

ssize_t boundary_encode(const struct boundary_message *message, void *buffer, size_t capacity)
{
    if (message->verb >= BOUNDARY_VERBS)
        return -EINVAL;

    const struct verb *verb = &verbs[message->verb];
    struct boundary_header header = {message->verb, (uint32_t)message->text_len};
    struct boundary_message padded = *message;
    char *out = buffer;

    if (message->text_len > verb->text ||
        sizeof(header) + verb->size + message->text_len > capacity)
        return -EMSGSIZE;
    verb->pad(&padded);
    if (!verb->fits(&padded))
        return -EINVAL;
    memcpy(out, &header, sizeof(header));
    memcpy(out + sizeof(header), &padded.u, verb->size);
    if (message->text_len > 0)
        memcpy(out + sizeof(header) + verb->size, message->text, message->text_len);
    return (ssize_t)(sizeof(header) + verb->size + message->text_len);
}

/* ---- hello ----------------------------------------------------------------------------------- */

/* FNV-1a: it tells two builds apart; it protects nothing. */
static uint64_t hash(uint64_t state, const void *data, size_t len)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < len; i++)
        state = (state ^ bytes[i]) * 0x100000001b3u;
    return state;
}

static uint64_t layout_hash(void)
{
    uint64_t state = hash(0xcbf29ce484222325u, layout, sizeof(layout));

    for (size_t i = 0; i < BOUNDARY_VERBS; i++)
        state = hash(state, &verbs[i].size, sizeof(verbs[i].size));
    return state;
}

void boundary_hello(struct boundary_hello *ret_hello, const char *program)
{
    *ret_hello = (struct boundary_hello){.version = BOUNDARY_VERSION, .layout = layout_hash()};
    strncpy(ret_hello->program, program, sizeof(ret_hello->program) - 1);
}

int boundary_check_hello(const struct boundary_hello *hello, const char **ret_reason)
{
    if (hello->version != BOUNDARY_VERSION) {
        *ret_reason = "the other program speaks another version of the boundary";
        return -EPROTO;
    }
    if (hello->layout != layout_hash()) {
        *ret_reason = "the other program was built with other records";
        return -EPROTO;
    }
    return 0;
}

/* ---- one system call each -------------------------------------------------------------------- */

int boundary_send(int fd, const void *datagram, size_t len)
{
    ssize_t sent;

    do
        sent = send(fd, datagram, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return -errno;
    return (size_t)sent == len ? 0 : -EIO;
}

ssize_t boundary_receive(int fd, void *buffer, size_t capacity)
{
    struct iovec iov = {buffer, capacity};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t len;

    /* No room for control data: the kernel drops descriptors and says MSG_CTRUNC. */
    do
        len = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (len < 0 && errno == EINTR);
    if (len < 0)
        return -errno;
    return msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -EBADMSG : len;
}
