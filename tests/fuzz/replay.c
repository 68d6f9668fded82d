/* SPDX-License-Identifier: MIT */
/*
 * The main of a fuzz target where libFuzzer is not linked: it runs the target once with each file
 * of its corpus, which is FUZZ_CORPUS/NAME for the program fuzz_NAME, or with each file named on
 * the command line. So every crash once found stays a test of every build.
 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly the file's size, so that the sanitizer sees a read beyond it. */
static int run_file(const char *path)
{
    static uint8_t buffer[1 << 20];
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        perror(path);
        return -1;
    }
    size_t size = fread(buffer, 1, sizeof(buffer), file);
    uint8_t *data = malloc(size > 0 ? size : 1);

    fclose(file);
    if (data == NULL)
        return -1;
    memcpy(data, buffer, size);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

static int run_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    char path[PATH_MAX];
    int files = 0;

    if (dir == NULL) {
        perror(folder);
        return -1;
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= (int)sizeof(path) ||
            run_file(path) < 0)
            return closedir(dir), -1;
        files++;
    }
    closedir(dir);
    return files;
}

int main(int argc, char **argv)
{
    const char *corpora = getenv("FUZZ_CORPUS"), *name = strstr(argv[0], "fuzz_");
    char folder[PATH_MAX];
    int files = 0;

    if (argc > 1) {
        for (; files < argc - 1; files++)
            if (run_file(argv[files + 1]) < 0)
                return 1;
    } else if (corpora != NULL && name != NULL) {
        snprintf(folder, sizeof(folder), "%s/%s", corpora, name + strlen("fuzz_"));
        files = run_folder(folder);
    }
    printf("%d files replayed\n", files);
    return files > 0 ? 0 : 1;
}
