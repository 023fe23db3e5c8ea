// main.c: the Forth alone as a program, for tests and benches.
#include <stddef.h>

#include "forth/standalone.h"

int main(int argc, char **argv)
{
    return weft_forth_standalone(argc, argv, NULL);
}
