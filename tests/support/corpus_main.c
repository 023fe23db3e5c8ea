// corpus_main.c: runs a fuzz target over files, without a fuzzer: each corpus is a unit test too.
//
// Link it with one tests/fuzz/NAME_fuzz.c; the arguments are files and directories.
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (!file || fstat(fileno(file), &status) < 0) {
        perror(path);
        return -1;
    }
    const size_t size = (size_t)status.st_size;
    uint8_t *data = malloc(size + 1); // malloc(0) may be NULL.
    const bool whole = data && fread(data, 1, size, file) == size;
    fclose(file);
    if (whole) LLVMFuzzerTestOneInput(data, size);
    free(data);
    return whole ? 1 : -1;
}

static int run_directory(const char *path)
{
    DIR *directory = opendir(path);
    char name[4096];
    int count = 0;
    if (!directory) return run_file(path);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        const int result = run_file(name);
        if (result < 0) count = -1;
        if (count >= 0) count += result;
    }
    closedir(directory);
    return count;
}

int main(int argument_count, char **arguments)
{
    int status = 0;
    for (int i = 1; i < argument_count; i++) {
        const int count = run_directory(arguments[i]);
        printf("%s: %d inputs\n", arguments[i], count);
        if (count <= 0) status = 1; // An empty corpus is a mistake as well.
    }
    return status;
}
