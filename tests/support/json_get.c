// json_get: checks that standard input is JSON, and prints the value at a path of keys and indices.
//   json_get [KEY|INDEX]...     "#" instead of the last one: how many items. Exit 1: no such value.
//   json_get -l [KEY|INDEX]...  every line is a document of its own.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const json_t *walk(const json_t *value, char **path)
{
    for (; *path != NULL && value != NULL; path++) {
        value = json_is_array(value) ? json_array_get(value, strtoul(*path, NULL, 10))
                                     : json_object_get(value, *path);
    }
    return value;
}

static int show(const json_t *document, char **path, int count)
{
    const int counts = count > 0 && strcmp(path[count - 1], "#") == 0;

    if (counts) path[count - 1] = NULL;
    const json_t *value = walk(document, path);
    if (counts) path[count - 1] = (char *)"#";
    if (value == NULL) return 1;
    if (counts) {
        printf("%zu\n", json_is_array(value) ? json_array_size(value) : json_object_size(value));
    } else if (json_is_string(value)) {
        puts(json_string_value(value));
    } else {
        json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(12));
        putchar('\n');
    }
    return 0;
}

int main(int argc, char **argv)
{
    const int lines = argc > 1 && strcmp(argv[1], "-l") == 0;
    char **path = argv + 1 + lines;
    int found = 0, status = 0;
    json_error_t error;

    do {
        json_t *document = json_loadf(stdin, lines ? JSON_DISABLE_EOF_CHECK : 0, &error);
        if (document == NULL && lines && found > 0 && feof(stdin)) break;
        if (document == NULL) {
            fprintf(stderr, "json_get: not JSON: %s (line %d)\n", error.text, error.line);
            return 2;
        }
        found++;
        status |= show(document, path, argc - 1 - lines);
        json_decref(document);
    } while (lines);
    return status;
}
