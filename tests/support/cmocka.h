// cmocka.h, after the standard headers that it expects to be there.
#ifndef WEFT_TESTS_SUPPORT_CMOCKA_H
#define WEFT_TESTS_SUPPORT_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#endif // WEFT_TESTS_SUPPORT_CMOCKA_H
