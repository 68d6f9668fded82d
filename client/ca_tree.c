/* SPDX-License-Identifier: MIT */
#include "client/ca_tree.h"

#include "common/file.h"
#include "common/mem.h"

#include <limits.h>
#include <sys/stat.h>

int ca_tree_begin(struct ca_tree *tree, struct diag *ret_diag)
{
    tree->users.file = open_memstream(&tree->users.text, &tree->users.len);
    tree->hosts.file = open_memstream(&tree->hosts.text, &tree->hosts.len);
    return tree->users.file && tree->hosts.file ? 0 : diag_errno(ret_diag, -ENOMEM, "the tree");
}

void ca_tree_add(struct ca_tree *tree, enum endorsement_kind kind, struct slice text)
{
    fwrite(text.ptr, 1, text.len, (kind == ENDORSEMENT_HOST ? &tree->hosts : &tree->users)->file);
}

/* Modes are set, whatever the umask: the daemon must be able to read what root copies. */
static int make_folder(const char *top, const char *name, struct diag *ret_diag)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s", top, name);
    if (len < 0 || (size_t)len >= sizeof(path))
        return diag_errno(ret_diag, -ENAMETOOLONG, top);
    if ((mkdir(path, 0755) < 0 && errno != EEXIST) || chmod(path, 0755) < 0)
        return diag_errno(ret_diag, mem_errno(), path);
    return 0;
}

static int make_folders(const char *top, struct diag *ret_diag)
{
    static const char *const names[] = {"etc", "etc/msg", "etc/msgd", "etc/msgd/authorized_keys.d"};
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++)
        r = make_folder(top, names[i], ret_diag);
    return r;
}

static int write_text(const char *top, const char *name, struct slice text, struct diag *ret_diag)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/etc/%s", top, name);
    if (len < 0 || (size_t)len >= sizeof(path))
        return diag_errno(ret_diag, -ENAMETOOLONG, top);
    return file_replace(path, text, 0644, ret_diag);
}

/* The key in a line of its own. */
static int write_key(const char *top, const char *name, const char *before,
                     const struct ssh_key *key, const char *behind, struct diag *ret_diag)
{
    char text[SSH_KEY_TEXT_LEN + 1], line[SSH_KEY_TEXT_LEN + 128];
    ssh_key_format(key, text);
    int len = snprintf(line, sizeof(line), "%s%s%s\n", before, text, behind);
    return write_text(top, name, (struct slice){line, (size_t)len}, ret_diag);
}

static int write_collected(const char *top, const char *name, struct ca_tree_text *text,
                           struct diag *ret_diag)
{
    if (fflush(text->file) != 0 || ferror(text->file))
        return diag_errno(ret_diag, -ENOMEM, name);
    return write_text(top, name, (struct slice){text->text, text->len}, ret_diag);
}

int ca_tree_write(struct ca_tree *tree, const char *folder, struct diag *ret_diag)
{
    int r = make_folders(folder, ret_diag);
    r = r < 0 ? r
              : write_key(folder, "msg/known_hosts", "@cert-authority * ", &tree->key,
                          " organisation", ret_diag);
    r = r < 0 ? r
              : write_key(folder, "msgd/authorized_keys.d/organisation.keys", "ca:", &tree->key,
                          " names=* all who override organisation", ret_diag);
    r = r < 0 ? r : write_collected(folder, "msg/endorsements", &tree->users, ret_diag);
    return r < 0 ? r : write_collected(folder, "msgd/host_endorsements", &tree->hosts, ret_diag);
}

static void end_text(struct ca_tree_text *text)
{
    if (text->file)
        fclose(text->file);
    free(text->text);
    *text = (struct ca_tree_text){.file = NULL};
}

void ca_tree_end(struct ca_tree *tree)
{
    end_text(&tree->users);
    end_text(&tree->hosts);
}
