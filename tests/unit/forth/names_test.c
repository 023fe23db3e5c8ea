// Every word of Forth 2012, all word sets with their extensions, by name: FIND and ' give each of
// them, or it stands among those that we leave out.
#include "tests/unit/forth/forth_run.h"

#include <stdio.h>

#include "forth/doc.h"

static struct weft_forth_system *forth;

// As the standard's sections 6.1 to 18.6.2 list them, but for words that a section takes over from
// another one.
static const struct {
    const char *set, *names;
    unsigned count;
} sets[] = {
    {"CORE",
     "! # #> #S ' ( * */ */MOD + +! +LOOP , - . .\" / /MOD 0< 0= 1+ 1- 2! 2* 2/ 2@ 2DROP 2DUP "
     "2OVER "
     "2SWAP : ; < <# = > >BODY >IN >NUMBER >R ?DUP @ ABORT ABORT\" ABS ACCEPT ALIGN ALIGNED ALLOT "
     "AND BASE BEGIN BL C! C, C@ CELL+ CELLS CHAR CHAR+ CHARS CONSTANT COUNT CR CREATE DECIMAL "
     "DEPTH DO DOES> DROP DUP ELSE EMIT ENVIRONMENT? EVALUATE EXECUTE EXIT FILL FIND FM/MOD HERE "
     "HOLD I IF IMMEDIATE INVERT J KEY LEAVE LITERAL LOOP LSHIFT M* MAX MIN MOD MOVE NEGATE OR "
     "OVER "
     "POSTPONE QUIT R> R@ RECURSE REPEAT ROT RSHIFT S\" S>D SIGN SM/REM SOURCE SPACE SPACES STATE "
     "SWAP THEN TYPE U. U< UM* UM/MOD UNLOOP UNTIL VARIABLE WHILE WORD XOR [ ['] [CHAR] ]",
     133},
    {"CORE EXT",
     ".( .R 0<> 0> 2>R 2R> 2R@ :NONAME <> ?DO ACTION-OF AGAIN BUFFER: C\" CASE COMPILE, DEFER "
     "DEFER! DEFER@ ENDCASE ENDOF ERASE FALSE HEX HOLDS IS MARKER NIP OF PAD PARSE PARSE-NAME PICK "
     "REFILL RESTORE-INPUT ROLL S\\\" SAVE-INPUT SOURCE-ID TO TRUE TUCK U.R U> UNUSED VALUE WITHIN "
     "[COMPILE] \\",
     49},
    {"BLOCK", "BLK BLOCK BUFFER FLUSH LOAD SAVE-BUFFERS UPDATE", 7},
    {"BLOCK EXT", "EMPTY-BUFFERS LIST SCR THRU", 4},
    {"DOUBLE",
     "2CONSTANT 2LITERAL 2VARIABLE D+ D- D. D.R D0< D0= D2* D2/ D< D= D>S DABS DMAX DMIN DNEGATE "
     "M*/ M+",
     20},
    {"DOUBLE EXT", "2ROT 2VALUE DU<", 3},
    {"EXCEPTION", "CATCH THROW", 2},
    {"FACILITY", "AT-XY KEY? PAGE", 3},
    {"FACILITY EXT",
     "+FIELD BEGIN-STRUCTURE CFIELD: EKEY EKEY>CHAR EKEY>FKEY EKEY? EMIT? END-STRUCTURE FIELD: "
     "K-ALT-MASK K-CTRL-MASK K-DELETE K-DOWN K-END K-F1 K-F10 K-F11 K-F12 K-F2 K-F3 K-F4 K-F5 K-F6 "
     "K-F7 K-F8 K-F9 K-HOME K-INSERT K-LEFT K-NEXT K-PRIOR K-RIGHT K-SHIFT-MASK K-UP MS TIME&DATE",
     37},
    {"FILE",
     "BIN CLOSE-FILE CREATE-FILE DELETE-FILE FILE-POSITION FILE-SIZE INCLUDE-FILE INCLUDED "
     "OPEN-FILE R/O R/W READ-FILE READ-LINE REPOSITION-FILE RESIZE-FILE W/O WRITE-FILE WRITE-LINE",
     18},
    {"FILE EXT", "FILE-STATUS FLUSH-FILE INCLUDE RENAME-FILE REQUIRE REQUIRED", 6},
    {"FLOATING",
     ">FLOAT D>F F! F* F+ F- F/ F0< F0= F< F>D F@ FALIGN FALIGNED FCONSTANT FDEPTH FDROP FDUP "
     "FLITERAL FLOAT+ FLOATS FLOOR FMAX FMIN FNEGATE FOVER FROT FROUND FSWAP FVARIABLE REPRESENT",
     31},
    {"FLOATING EXT",
     "DF! DF@ DFALIGN DFALIGNED DFFIELD: DFLOAT+ DFLOATS F** F. F>S FABS FACOS FACOSH FALOG FASIN "
     "FASINH FATAN FATAN2 FATANH FCOS FCOSH FE. FEXP FEXPM1 FFIELD: FLN FLNP1 FLOG FS. FSIN "
     "FSINCOS "
     "FSINH FSQRT FTAN FTANH FTRUNC FVALUE F~ PRECISION S>F SET-PRECISION SF! SF@ SFALIGN "
     "SFALIGNED "
     "SFFIELD: SFLOAT+ SFLOATS",
     48},
    {"LOCALS", "(LOCAL)", 1},
    {"LOCALS EXT", "LOCALS| {:", 2},
    {"MEMORY", "ALLOCATE FREE RESIZE", 3},
    {"TOOLS", ".S ? DUMP SEE WORDS", 5},
    {"TOOLS EXT",
     ";CODE AHEAD ASSEMBLER BYE CODE CS-PICK CS-ROLL EDITOR FORGET N>R NAME>COMPILE NAME>INTERPRET "
     "NAME>STRING NR> SYNONYM TRAVERSE-WORDLIST [DEFINED] [ELSE] [IF] [THEN] [UNDEFINED]",
     21},
    {"SEARCH",
     "DEFINITIONS FORTH-WORDLIST GET-CURRENT GET-ORDER SEARCH-WORDLIST SET-CURRENT SET-ORDER "
     "WORDLIST",
     8},
    {"SEARCH EXT", "ALSO FORTH ONLY ORDER PREVIOUS", 5},
    {"STRING", "-TRAILING /STRING BLANK CMOVE CMOVE> COMPARE SEARCH SLITERAL", 8},
    {"STRING EXT", "REPLACES SUBSTITUTE UNESCAPE", 3},
    {"XCHAR", "X-SIZE XC!+ XC!+? XC, XC-SIZE XC@+ XCHAR+ XEMIT XKEY XKEY?", 10},
    {"XCHAR EXT", "+X/STRING -TRAILING-GARBAGE EKEY>XCHAR X-WIDTH XC-WIDTH XCHAR- XHOLD X\\STRING-",
     8},
};

// Words of the standard that this system does not have, each in blanks. docs/forth-standard.md says
// why.
static const char left_out[] = " ";

static bool is_left_out(const char *name)
{
    char blanked[40];
    snprintf(blanked, sizeof(blanked), " %s ", name);
    return strstr(left_out, blanked) != NULL;
}

// Asks a unit: FIND of the name as a counted string, and ' of it.
static bool is_found(struct forth_run *run, const char *name)
{
    char text[128];
    snprintf(text, sizeof(text), "bl word %s find 0<> swap ' %s = and .", name, name);
    return forth_text(run, "t", text) == WEFT_UNIT_DONE && strcmp(run->output, "-1 ") == 0;
}

static void every_word_of_the_standard_is_found(void **state)
{
    static struct forth_run run;
    unsigned wrong = 0;
    (void)state;
    forth_open(&run, forth, FORTH_PLAIN);
    for (size_t n = 0; n < sizeof(sets) / sizeof(sets[0]); n++) {
        unsigned count = 0;
        for (const char *at = sets[n].names; *at != '\0'; count++) {
            char name[32];
            const size_t length = strcspn(at, " ");
            snprintf(name, sizeof(name), "%.*s", (int)length, at);
            at += length + (at[length] == ' ');
            const struct weft_forth_doc *doc = weft_forth_doc_find(name, length);
            if (is_found(&run, name) == is_left_out(name)) {
                print_error("%s %s: %s\n", sets[n].set, name,
                            is_left_out(name) ? "is there" : "is not there");
                wrong++;
            } else if (!is_left_out(name) && (doc == NULL || strcmp(doc->set, sets[n].set) != 0)) {
                print_error("%s: the reference does not say %s\n", name, sets[n].set);
                wrong++;
            }
        }
        assert_int_equal(count, sets[n].count);
    }
    assert_int_equal(wrong, 0);
    forth_close(&run);
}

// And the reference claims no other word to be of those sets.
static void nothing_else_is_said_to_be_of_the_standard(void **state)
{
    const struct weft_forth_doc *doc;
    (void)state;
    for (size_t n = 0; (doc = weft_forth_doc_at(n)) != NULL; n++) {
        char blanked[40], names[2048];
        if (strncmp(doc->set, "WEFT", 4) == 0) continue;
        snprintf(blanked, sizeof(blanked), " %s ", doc->name);
        bool found = false;
        for (size_t s = 0; s < sizeof(sets) / sizeof(sets[0]); s++) {
            if (strcmp(sets[s].set, doc->set) != 0) continue;
            snprintf(names, sizeof(names), " %s ", sets[s].names);
            found = strstr(names, blanked) != NULL;
        }
        if (!found) fail_msg("%s is no word of %s", doc->name, doc->set);
    }
}

static int make_system(void **state)
{
    const int code = forth_compile_system(state);
    forth = *state;
    return code;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_of_the_standard_is_found),
        cmocka_unit_test(nothing_else_is_said_to_be_of_the_standard),
    };
    return cmocka_run_group_tests(tests, make_system, forth_free_system);
}
