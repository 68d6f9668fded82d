/* SPDX-License-Identifier: MIT */
#include "client/endorse_many.h"

#include "client/endorse.h"
#include "common/file.h"
#include "common/mem.h"

#define SIGNATURE ".sig" /* as ssh-keygen names it */

int endorse_many_begin(struct endorse_many *many, struct diag *ret_diag)
{
    const char *folder = getenv("TMPDIR");

    *many = (struct endorse_many){.n = 0};
    if (folder && strlen(folder) > sizeof(many->folder) - sizeof("/msgctl-XXXXXX"))
        return diag_errno(ret_diag, -ENAMETOOLONG, "TMPDIR");
    snprintf(many->folder, sizeof(many->folder), "%.1000s/msgctl-XXXXXX", folder ? folder : "/tmp");
    many->files = calloc(1, sizeof(*many->files));
    if (many->files && mkdtemp(many->folder))
        return 0;
    int r = diag_errno(ret_diag, many->files ? mem_errno() : -ENOMEM, many->folder);
    many->folder[0] = '\0';
    return r;
}

static int write_file(const char *path, const char *text, size_t len)
{
    CLEANUP_FILE FILE *file = fopen(path, "wxe");
    return file && fwrite(text, 1, len, file) == len && fflush(file) == 0 ? 0 : mem_errno();
}

int endorse_many_add(struct endorse_many *many, const struct endorsement *endorsement,
                     struct diag *ret_diag)
{
    char statement[ENDORSEMENT_STATEMENT], *path = NULL;
    int len = endorsement_format(endorsement, statement);
    if (len < 0)
        return diag_set(ret_diag, len, "%.*s cannot be said in an endorsement",
                        (int)endorsement->names.len, endorsement->names.ptr);
    char **grown = reallocarray(many->files, many->n + 2, sizeof(*grown));
    if (!grown)
        return diag_errno(ret_diag, -ENOMEM, many->folder);
    many->files = grown;
    if (asprintf(&path, "%s/%zu", many->folder, many->n) < 0)
        return diag_errno(ret_diag, -ENOMEM, many->folder);
    many->files[many->n++] = path;
    many->files[many->n] = NULL;
    int r = write_file(path, statement, (size_t)len);
    return r < 0 ? diag_errno(ret_diag, r, path) : 0;
}

static int tell_other_type(struct diag *ret_diag)
{
    return diag_set(ret_diag, -EBADMSG,
                    "the key is no ssh-ed25519 key, and others (RSA, ECDSA, sk) cannot serve an "
                    "organisation; make one: msgctl ca make FILE");
}

int endorse_many_sign(const struct endorse_many *many, const struct ssh_signer *signer,
                      struct diag *ret_diag)
{
    if (many->n == 0)
        return diag_set(ret_diag, -ENODATA, "there is nobody in the list");
    if (ssh_signer_cannot_serve(signer))
        return tell_other_type(ret_diag);
    return ssh_sign_files(signer, ENDORSEMENT_NAMESPACE, many->files, ret_diag);
}

/* Appends a file to the text, whose length *len is. */
static int append(const char *path, char text[static ENDORSEMENT_TEXT_MAX], size_t *len,
                  struct diag *ret_diag)
{
    CLEANUP_FREE char *part = NULL;
    size_t part_len = 0;
    int r = file_read(path, FILE_ANY, ENDORSEMENT_TEXT_MAX, &part, &part_len, NULL, ret_diag);
    if (r < 0)
        return r;
    if (part_len > ENDORSEMENT_TEXT_MAX - *len)
        return diag_errno(ret_diag, -EFBIG, path);
    memcpy(text + *len, part, part_len);
    *len += part_len;
    return 0;
}

int endorse_many_take(const struct endorse_many *many, size_t i,
                      char text[static ENDORSEMENT_TEXT_MAX], size_t *ret_len,
                      struct ssh_key *ret_key, struct diag *ret_diag)
{
    char signature[ENDORSE_MANY_FOLDER + 32];
    size_t len = 0;
    snprintf(signature, sizeof(signature), "%s" SIGNATURE, many->files[i]);
    int r = append(many->files[i], text, &len, ret_diag);
    r = r < 0 ? r : append(signature, text, &len, ret_diag);
    if (r == -EFBIG || (r == 0 && endorse_read((struct slice){text, len}, ret_key) < 0))
        r = tell_other_type(ret_diag);
    if (r == 0)
        *ret_len = len;
    return r;
}

void endorse_many_end(struct endorse_many *many)
{
    for (size_t i = 0; i < many->n; i++) {
        char signature[ENDORSE_MANY_FOLDER + 32];
        snprintf(signature, sizeof(signature), "%s" SIGNATURE, many->files[i]);
        unlink(signature);
        unlink(many->files[i]);
        free(many->files[i]);
    }
    free(many->files);
    if (many->folder[0])
        rmdir(many->folder);
    *many = (struct endorse_many){.n = 0};
}
