/* SPDX-License-Identifier: MIT */
#include "common/config.h"

#include "common/inifile.h"
#include "common/lines.h"
#include "common/mem.h"
#include "common/text.h"
#include "common/values.h"

#define DEFAULT_PORT 6743

enum kind { KIND_STRING, KIND_PATH, KIND_LISTEN, KIND_NUMBER, KIND_DURATION, KIND_CHOICE };

struct key {
    enum kind kind;
    const char *section, *name, *help, *text; /* text: a string's default; a choice's words */
    size_t offset;
    uint64_t number, least, most; /* number: a number's default; most: a string's longest */
};

#define TEXT_KEY(kind, section, key, initial, longest, help)                                       \
    {kind, #section, #key, help, initial, offsetof(struct config, key), 0, 0, longest},
#define NUMBER_KEY(kind, section, key, initial, least, most, help)                                 \
    {kind, #section, #key, help, NULL, offsetof(struct config, key), initial, least, most},
#define CHOICE_KEY(kind, section, key, initial, words, help)                                       \
    {kind, #section, #key, help, words, offsetof(struct config, key), initial, 0, 0},

static const struct key keys[] = {
#define STRING(...)   TEXT_KEY(KIND_STRING, __VA_ARGS__)
#define PATH(...)     TEXT_KEY(KIND_PATH, __VA_ARGS__)
#define LISTEN(...)   TEXT_KEY(KIND_LISTEN, __VA_ARGS__)
#define NUMBER(...)   NUMBER_KEY(KIND_NUMBER, __VA_ARGS__)
#define DURATION(...) NUMBER_KEY(KIND_DURATION, __VA_ARGS__)
#define CHOICE(...)   CHOICE_KEY(KIND_CHOICE, __VA_ARGS__)
#define SWITCH(section, key, initial, help)                                                        \
    CHOICE_KEY(KIND_CHOICE, section, key, initial, "no|yes", help)
#include "common/config.def"
};

static char *text_of(const struct config *config, const struct key *key)
{
    return (char *)(uintptr_t)config + key->offset;
}

static uint64_t *number_of(const struct config *config, const struct key *key)
{
    return (uint64_t *)(void *)text_of(config, key);
}

static bool is_number(const struct key *key)
{
    return key->kind == KIND_NUMBER || key->kind == KIND_DURATION || key->kind == KIND_CHOICE;
}

void config_defaults(struct config *ret_config)
{
    for (const struct key *key = keys; key < keys + ARRAY_SIZE(keys); key++)
        if (is_number(key))
            *number_of(ret_config, key) = key->number;
        else
            strcpy(text_of(ret_config, key), key->text);
}

/* section NULL: whichever has the name. */
static const struct key *find(const char *section, const char *name)
{
    for (const struct key *key = keys; key < keys + ARRAY_SIZE(keys); key++)
        if ((!section || strcmp(key->section, section) == 0) && strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

/* As an option: --max-time is max_time. */
static const struct key *find_option(const char *option)
{
    char name[32];
    size_t len = strlen(option);
    if (len >= sizeof(name))
        return NULL;
    for (size_t i = 0; i <= len; i++)
        name[i] = (char)(option[i] == '-' ? '_' : option[i]);
    return find(NULL, name);
}

bool config_has(const char *key)
{
    return find_option(key) != NULL;
}

bool config_listen_next(struct slice *list, struct sockaddr_storage *ret_address)
{
    struct slice entry, field, rest = *list;
    if (rest.len == 0 || !lines_entry(&rest, &entry) || !lines_field(&entry, &field) ||
        lines_field(&entry, &entry) || value_address(field, DEFAULT_PORT, ret_address) < 0)
        return false;
    *list = rest;
    return true;
}

static int set_listen(const struct key *key, const char *value, struct diag *ret_diag)
{
    struct sockaddr_storage address;
    struct slice rest = slice_of(value);
    while (config_listen_next(&rest, &address))
        ;
    if (rest.len || (rest.ptr && *value))
        return diag_set(ret_diag, -EINVAL,
                        "%s wants numeric addresses such as 192.0.2.1:6743 or [::]:6743,"
                        " separated by commas",
                        key->name);
    return 0;
}

/* What a file could not say: it would be read back as another value. */
static bool is_writable(const char *value)
{
    size_t len = strlen(value);
    return len == 0 || (text_check_line(slice_of(value), NULL) == 0 && value[0] != ' ' &&
                        value[0] != ';' && value[len - 1] != ' ' && !strstr(value, " ;"));
}

static int set_text(struct config *config, const struct key *key, const char *value,
                    struct diag *ret_diag)
{
    if (strlen(value) > key->most)
        return diag_set(ret_diag, -EINVAL, "%s is longer than %llu bytes", key->name,
                        (unsigned long long)key->most);
    if (!is_writable(value))
        return diag_set(ret_diag, -EINVAL, "%s holds what no configuration file can hold",
                        key->name);
    if (key->kind == KIND_PATH && value[0] != '/' && (*value || *key->text))
        return diag_set(ret_diag, -EINVAL, "%s wants a path that begins with /", key->name);
    int r = key->kind == KIND_LISTEN ? set_listen(key, value, ret_diag) : 0;
    if (r == 0)
        strcpy(text_of(config, key), value);
    return r;
}

/* The word of that number; none is left behind the last. */
static struct slice choice(const struct key *key, uint64_t number)
{
    const char *word = key->text;
    for (; number > 0; number--) {
        const char *bar = strchr(word, '|');
        if (!bar)
            return (struct slice){0};
        word = bar + 1;
    }
    return (struct slice){word, strcspn(word, "|")};
}

static int set_choice(struct config *config, const struct key *key, const char *value,
                      struct diag *ret_diag)
{
    struct slice word;
    for (uint64_t number = 0; (word = choice(key, number)).ptr; number++) {
        if (slice_eq(word, slice_of(value))) {
            *number_of(config, key) = number;
            return 0;
        }
    }
    return diag_set(ret_diag, -EINVAL, "%s wants one of %s", key->name, key->text);
}

static void format_number(const struct key *key, uint64_t number, char out[static VALUE_DURATION])
{
    struct slice word = key->kind == KIND_CHOICE ? choice(key, number) : SLICE("");
    if (key->kind == KIND_CHOICE)
        snprintf(out, VALUE_DURATION, "%.*s", (int)word.len, word.ptr);
    else if (key->kind == KIND_DURATION)
        value_duration_format(number, out);
    else
        snprintf(out, VALUE_DURATION, "%llu", (unsigned long long)number);
}

static int set_number(struct config *config, const struct key *key, const char *value,
                      struct diag *ret_diag)
{
    char least[VALUE_DURATION], most[VALUE_DURATION];
    uint64_t number = 0;
    bool sound = key->kind == KIND_DURATION ? value_duration(slice_of(value), &number) == 0
                                            : slice_number(slice_of(value), UINT64_MAX, &number);
    if (!sound || number < key->least || number > key->most) {
        format_number(key, key->least, least);
        format_number(key, key->most, most);
        return diag_set(ret_diag, -EINVAL, "%s wants %s from %s to %s", key->name,
                        key->kind == KIND_DURATION ? "a time" : "a number", least, most);
    }
    *number_of(config, key) = number;
    return 0;
}

static int set(struct config *config, const struct key *key, const char *value,
               struct diag *ret_diag)
{
    return key->kind == KIND_CHOICE ? set_choice(config, key, value, ret_diag)
           : is_number(key)         ? set_number(config, key, value, ret_diag)
                                    : set_text(config, key, value, ret_diag);
}

int config_set(struct config *config, const char *key, const char *value, struct diag *ret_diag)
{
    const struct key *found = find_option(key);
    if (!found)
        return diag_set(ret_diag, -EINVAL, "unknown key %s", key);
    return set(config, found, value, ret_diag);
}

struct parsing {
    struct config *config;
    bool seen[ARRAY_SIZE(keys)];
};

static int take_entry(void *context, const char *section, const char *name, const char *value,
                      struct diag *ret_diag)
{
    struct parsing *parsing = context;
    const struct key *key = find(section, name);
    if (!key && find(NULL, name))
        return diag_set(ret_diag, -EINVAL, "%s belongs to section [%s]", name,
                        find(NULL, name)->section);
    if (!key)
        return diag_set(ret_diag, -EINVAL, "unknown key %s in section [%s]", name, section);
    if (parsing->seen[key - keys])
        return diag_set(ret_diag, -EINVAL, "%s is there twice", name);
    parsing->seen[key - keys] = true;
    return set(parsing->config, key, value, ret_diag);
}

int config_parse(struct config *config, const char *file, struct slice text, struct diag *ret_diag)
{
    struct parsing parsing = {.config = config};
    return inifile_read(file, text, take_entry, &parsing, ret_diag);
}

void config_dump(const struct config *config, FILE *out)
{
    const char *section = "";
    for (const struct key *key = keys; key < keys + ARRAY_SIZE(keys); key++) {
        char number[VALUE_DURATION];
        if (strcmp(section, key->section) != 0)
            fprintf(out, "%s[%s]\n", *section ? "\n" : "", key->section);
        section = key->section;
        if (is_number(key))
            format_number(key, *number_of(config, key), number);
        fprintf(out, "# %s\n%s = %s\n", key->help, key->name,
                is_number(key) ? number : text_of(config, key));
    }
}
