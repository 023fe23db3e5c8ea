// ops.h: the operations of the bytecode, once. From this table come the token numbers, the dispatch
// tables, the dictionary's primitive words, and what the verifier knows of stack effects.
//
// H: in the inner interpreter (inner.c). C: a function weft_op_NAME called by it.
// Columns: name, Forth word ("" if it has none), operand tokens, data stack in and out, return
// stack in and out, word flags. WEFT_VAR out: depends on data; the word around it keeps checking
// every operation. The order is part of the format: add at the end.
#ifndef WEFT_FORTH_OPS_H
#define WEFT_FORTH_OPS_H

#include "forth/state.h"

#define WEFT_VAR      (-1)
#define WEFT_IMM      WEFT_WORD_IMMEDIATE
#define WEFT_SMART    (WEFT_WORD_IMMEDIATE | WEFT_WORD_SMART)
#define WEFT_COMP     WEFT_WORD_COMPILE_ONLY
#define WEFT_IMM_COMP (WEFT_WORD_IMMEDIATE | WEFT_WORD_COMPILE_ONLY)
// clang-format off
#define WEFT_OPS(H, C)                                  \
    C(stop, "", 0, 0, WEFT_VAR, 0, 0, 0) \
    H(exit, "", 0, 0, 0, 0, 0, 0) \
    H(call, "", 1, 0, WEFT_VAR, 0, 0, 0) \
    H(tail, "", 1, 0, WEFT_VAR, 0, 0, 0) \
    H(branch, "", 1, 0, 0, 0, 0, 0) \
    H(branch_back, "", 1, 0, 0, 0, 0, 0) \
    H(zbranch, "", 1, 1, 0, 0, 0, 0) \
    H(zbranch_back, "", 1, 1, 0, 0, 0, 0) \
    H(qdup_zbranch, "", 1, 1, 1, 0, 0, 0) \
    H(lit16, "", 1, 0, 1, 0, 0, 0) \
    H(lit32, "", 2, 0, 1, 0, 0, 0) \
    H(lit64, "", 4, 0, 1, 0, 0, 0) \
    H(lit_add, "", 1, 1, 1, 0, 0, 0) \
    H(do, "", 0, 2, 0, 0, 2, 0) \
    H(qdo, "", 1, 2, 0, 0, 2, 0) \
    H(loop, "", 1, 0, 0, 2, 0, 0) \
    H(plus_loop, "", 1, 1, 0, 2, 0, 0) \
    H(i, "I", 0, 0, 1, 2, 2, WEFT_COMP) \
    H(j, "J", 0, 0, 1, 4, 4, WEFT_COMP) \
    H(unloop, "UNLOOP", 0, 0, 0, 2, 0, WEFT_COMP) \
    H(execute, "EXECUTE", 0, 1, WEFT_VAR, 0, 0, 0) \
    H(defer, "", 0, 1, WEFT_VAR, 0, 0, 0) \
    H(dup, "DUP", 0, 1, 2, 0, 0, 0) \
    H(drop, "DROP", 0, 1, 0, 0, 0, 0) \
    H(swap, "SWAP", 0, 2, 2, 0, 0, 0) \
    H(over, "OVER", 0, 2, 3, 0, 0, 0) \
    H(rot, "ROT", 0, 3, 3, 0, 0, 0) \
    H(minus_rot, "-ROT", 0, 3, 3, 0, 0, 0) \
    H(nip, "NIP", 0, 2, 1, 0, 0, 0) \
    H(tuck, "TUCK", 0, 2, 3, 0, 0, 0) \
    H(two_dup, "2DUP", 0, 2, 4, 0, 0, 0) \
    H(two_drop, "2DROP", 0, 2, 0, 0, 0, 0) \
    H(two_swap, "2SWAP", 0, 4, 4, 0, 0, 0) \
    H(two_over, "2OVER", 0, 4, 6, 0, 0, 0) \
    H(qdup, "?DUP", 0, 1, WEFT_VAR, 0, 0, 0) \
    H(depth, "DEPTH", 0, 0, 1, 0, 0, 0) \
    H(pick, "PICK", 0, 1, 1, 0, 0, 0) \
    H(to_r, ">R", 0, 1, 0, 0, 1, WEFT_COMP) \
    H(r_from, "R>", 0, 0, 1, 1, 0, WEFT_COMP) \
    H(r_fetch, "R@", 0, 0, 1, 1, 1, WEFT_COMP) \
    H(two_to_r, "2>R", 0, 2, 0, 0, 2, WEFT_COMP) \
    H(two_r_from, "2R>", 0, 0, 2, 2, 0, WEFT_COMP) \
    H(two_r_fetch, "2R@", 0, 0, 2, 2, 2, WEFT_COMP) \
    H(r_drop, "RDROP", 0, 0, 0, 1, 0, WEFT_COMP) \
    H(add, "+", 0, 2, 1, 0, 0, 0) \
    H(sub, "-", 0, 2, 1, 0, 0, 0) \
    H(mul, "*", 0, 2, 1, 0, 0, 0) \
    H(negate, "NEGATE", 0, 1, 1, 0, 0, 0) \
    H(abs, "ABS", 0, 1, 1, 0, 0, 0) \
    H(min, "MIN", 0, 2, 1, 0, 0, 0) \
    H(max, "MAX", 0, 2, 1, 0, 0, 0) \
    H(one_add, "1+", 0, 1, 1, 0, 0, 0) \
    H(one_sub, "1-", 0, 1, 1, 0, 0, 0) \
    H(two_mul, "2*", 0, 1, 1, 0, 0, 0) \
    H(two_div, "2/", 0, 1, 1, 0, 0, 0) \
    H(and, "AND", 0, 2, 1, 0, 0, 0) \
    H(or, "OR", 0, 2, 1, 0, 0, 0) \
    H(xor, "XOR", 0, 2, 1, 0, 0, 0) \
    H(invert, "INVERT", 0, 1, 1, 0, 0, 0) \
    H(lshift, "LSHIFT", 0, 2, 1, 0, 0, 0) \
    H(rshift, "RSHIFT", 0, 2, 1, 0, 0, 0) \
    H(div, "/", 0, 2, 1, 0, 0, 0) \
    H(mod, "MOD", 0, 2, 1, 0, 0, 0) \
    H(div_mod, "/MOD", 0, 2, 2, 0, 0, 0) \
    H(equal, "=", 0, 2, 1, 0, 0, 0) \
    H(not_equal, "<>", 0, 2, 1, 0, 0, 0) \
    H(less, "<", 0, 2, 1, 0, 0, 0) \
    H(greater, ">", 0, 2, 1, 0, 0, 0) \
    H(u_less, "U<", 0, 2, 1, 0, 0, 0) \
    H(u_greater, "U>", 0, 2, 1, 0, 0, 0) \
    H(zero_equal, "0=", 0, 1, 1, 0, 0, 0) \
    H(zero_not_equal, "0<>", 0, 1, 1, 0, 0, 0) \
    H(zero_less, "0<", 0, 1, 1, 0, 0, 0) \
    H(zero_greater, "0>", 0, 1, 1, 0, 0, 0) \
    H(within, "WITHIN", 0, 3, 1, 0, 0, 0) \
    H(fetch, "@", 0, 1, 1, 0, 0, 0) \
    H(store, "!", 0, 2, 0, 0, 0, 0) \
    H(c_fetch, "C@", 0, 1, 1, 0, 0, 0) \
    H(c_store, "C!", 0, 2, 0, 0, 0, 0) \
    H(add_store, "+!", 0, 2, 0, 0, 0, 0) \
    H(two_fetch, "2@", 0, 1, 2, 0, 0, 0) \
    H(two_store, "2!", 0, 3, 0, 0, 0, 0) \
    H(cells, "CELLS", 0, 1, 1, 0, 0, 0) \
    H(cell_add, "CELL+", 0, 1, 1, 0, 0, 0) \
    H(nop, "CHARS", 0, 0, 0, 0, 0, 0) \
    H(count, "COUNT", 0, 1, 2, 0, 0, 0) \
    C(roll, "ROLL", 0, 1, 0, 0, 0, 0) \
    C(yield, "YIELD", 0, 0, 0, 0, 0, 0) \
    C(catch, "", 0, 1, WEFT_VAR, 0, 0, 0) \
    C(catch_end, "", 0, 0, 1, 0, 0, 0) \
    C(throw, "THROW", 0, 1, 0, 0, 0, 0) \
    C(abort, "ABORT", 0, 0, 0, 0, 0, 0) \
    C(abort_text, "", 0, 3, 0, 0, 0, 0) \
    C(quit, "QUIT", 0, 0, WEFT_VAR, 0, 0, 0) \
    C(bye, "BYE", 0, 0, WEFT_VAR, 0, 0, 0) \
    C(interpret, "", 0, 0, WEFT_VAR, 0, 0, 0) \
    C(source_begin, "", 0, 2, 0, 0, 0, 0) \
    C(source_end, "", 0, 0, 0, 0, 0, 0) \
    C(source, "SOURCE", 0, 0, 2, 0, 0, 0) \
    C(source_id, "SOURCE-ID", 0, 0, 1, 0, 0, 0) \
    C(refill, "REFILL", 0, 0, 1, 0, 0, 0) \
    C(parse, "PARSE", 0, 1, 2, 0, 0, 0) \
    C(parse_name, "PARSE-NAME", 0, 0, 2, 0, 0, 0) \
    C(word, "WORD", 0, 1, 1, 0, 0, 0) \
    C(paren, "(", 0, 0, 0, 0, 0, WEFT_IMM) \
    C(backslash, "\\", 0, 0, 0, 0, 0, WEFT_IMM) \
    C(save_input, "SAVE-INPUT", 0, 0, WEFT_VAR, 0, 0, 0) \
    C(restore_input, "RESTORE-INPUT", 0, 1, WEFT_VAR, 0, 0, 0) \
    C(tick, "'", 0, 0, 1, 0, 0, 0) \
    C(bracket_tick, "[']", 0, 0, 0, 0, 0, WEFT_IMM_COMP) \
    C(find, "FIND", 0, 1, 2, 0, 0, 0) \
    C(find_name, "FIND-XT", 0, 2, 2, 0, 0, 0) \
    C(to_number, ">NUMBER", 0, 4, 4, 0, 0, 0) \
    C(colon, ":", 0, 0, 0, 0, 0, 0) \
    C(noname, ":NONAME", 0, 0, 1, 0, 0, 0) \
    C(semicolon, ";", 0, 0, 0, 0, 0, WEFT_IMM_COMP) \
    C(exit_word, "EXIT", 0, 0, 0, 0, 0, WEFT_IMM_COMP) \
    C(left_bracket, "[", 0, 0, 0, 0, 0, WEFT_IMM) \
    C(right_bracket, "]", 0, 0, 0, 0, 0, 0) \
    C(immediate, "IMMEDIATE", 0, 0, 0, 0, 0, 0) \
    C(compile_only, "COMPILE-ONLY", 0, 0, 0, 0, 0, 0) \
    C(recurse, "RECURSE", 0, 0, 0, 0, 0, WEFT_IMM_COMP) \
    C(literal, "LITERAL", 0, 1, 0, 0, 0, WEFT_IMM_COMP) \
    C(sliteral, "SLITERAL", 0, 2, 0, 0, 0, WEFT_IMM_COMP) \
    C(compile_comma, "COMPILE,", 0, 1, 0, 0, 0, 0) \
    C(postpone, "POSTPONE", 0, 0, 0, 0, 0, WEFT_IMM_COMP) \
    C(compile_bracket, "[COMPILE]", 0, 0, 0, 0, 0, WEFT_IMM_COMP) \
    C(if, "IF", 0, 0, 1, 0, 0, WEFT_IMM_COMP) \
    C(ahead, "AHEAD", 0, 0, 1, 0, 0, WEFT_IMM_COMP) \
    C(else, "ELSE", 0, 0, WEFT_VAR, 0, 0, WEFT_IMM_COMP) \
    C(then, "THEN", 0, 0, WEFT_VAR, 0, 0, WEFT_IMM_COMP) \
    C(begin, "BEGIN", 0, 0, 1, 0, 0, WEFT_IMM_COMP) \
    C(while, "WHILE", 0, 0, WEFT_VAR, 0, 0, WEFT_IMM_COMP) \
    C(until, "UNTIL", 0, 0, WEFT_VAR, 0, 0, WEFT_IMM_COMP) \
    C(again, "AGAIN", 0, 0, WEFT_VAR, 0, 0, WEFT_IMM_COMP) \
    C(repeat, "REPEAT", 0, 0, WEFT_VAR, 0, 0, WEFT_IMM_COMP) \
    C(do_word, "DO", 0, 0, 2, 0, 0, WEFT_IMM_COMP) \
    C(qdo_word, "?DO", 0, 0, 2, 0, 0, WEFT_IMM_COMP) \
    C(loop_word, "LOOP", 0, 0, WEFT_VAR, 0, 0, WEFT_IMM_COMP) \
    C(plus_loop_word, "+LOOP", 0, 0, WEFT_VAR, 0, 0, WEFT_IMM_COMP) \
    C(leave, "LEAVE", 0, 0, 0, 0, 0, WEFT_IMM_COMP) \
    C(create, "CREATE", 0, 0, 0, 0, 0, 0) \
    C(variable, "VARIABLE", 0, 0, 0, 0, 0, 0) \
    C(constant, "CONSTANT", 0, 1, 0, 0, 0, 0) \
    C(value, "VALUE", 0, 1, 0, 0, 0, 0) \
    C(to, "TO", 0, 0, WEFT_VAR, 0, 0, WEFT_SMART) \
    C(defer_word, "DEFER", 0, 0, 0, 0, 0, 0) \
    C(defer_store, "DEFER!", 0, 2, 0, 0, 0, 0) \
    C(defer_fetch, "DEFER@", 0, 1, 1, 0, 0, 0) \
    C(marker, "MARKER", 0, 0, 0, 0, 0, 0) \
    C(forget_to, "", 0, 1, WEFT_VAR, 0, 0, 0) \
    C(does, "DOES>", 0, 0, 0, 0, 0, WEFT_IMM_COMP) \
    C(set_does, "", 1, 0, 0, 0, 0, 0) \
    C(to_body, ">BODY", 0, 1, 1, 0, 0, 0) \
    C(here, "HERE", 0, 0, 1, 0, 0, 0) \
    C(allot, "ALLOT", 0, 1, 0, 0, 0, 0) \
    C(comma, ",", 0, 1, 0, 0, 0, 0) \
    C(c_comma, "C,", 0, 1, 0, 0, 0, 0) \
    C(align, "ALIGN", 0, 0, 0, 0, 0, 0) \
    C(unused, "UNUSED", 0, 0, 1, 0, 0, 0) \
    C(pad, "PAD", 0, 0, 1, 0, 0, 0) \
    C(move, "MOVE", 0, 3, 0, 0, 0, 0) \
    C(cmove, "CMOVE", 0, 3, 0, 0, 0, 0) \
    C(cmove_up, "CMOVE>", 0, 3, 0, 0, 0, 0) \
    C(fill, "FILL", 0, 3, 0, 0, 0, 0) \
    C(compare, "COMPARE", 0, 4, 1, 0, 0, 0) \
    C(s_quote, "S\"", 0, 0, WEFT_VAR, 0, 0, WEFT_SMART) \
    C(s_backslash, "S\\\"", 0, 0, WEFT_VAR, 0, 0, WEFT_SMART) \
    C(c_quote, "C\"", 0, 0, 0, 0, 0, WEFT_IMM_COMP) \
    C(dot_quote, ".\"", 0, 0, 0, 0, 0, WEFT_SMART) \
    C(dot_paren, ".(", 0, 0, 0, 0, 0, WEFT_IMM) \
    C(abort_quote, "ABORT\"", 0, 0, 0, 0, 0, WEFT_IMM_COMP) \
    C(char, "CHAR", 0, 0, 1, 0, 0, 0) \
    C(bracket_char, "[CHAR]", 0, 0, 0, 0, 0, WEFT_IMM_COMP) \
    C(emit, "EMIT", 0, 1, 0, 0, 0, 0) \
    C(type, "TYPE", 0, 2, 0, 0, 0, 0) \
    C(spaces, "SPACES", 0, 1, 0, 0, 0, 0) \
    C(dot, ".", 0, 1, 0, 0, 0, 0) \
    C(u_dot, "U.", 0, 1, 0, 0, 0, 0) \
    C(d_dot, "D.", 0, 2, 0, 0, 0, 0) \
    C(dot_r, ".R", 0, 2, 0, 0, 0, 0) \
    C(u_dot_r, "U.R", 0, 2, 0, 0, 0, 0) \
    C(d_dot_r, "D.R", 0, 3, 0, 0, 0, 0) \
    C(less_sharp, "<#", 0, 0, 0, 0, 0, 0) \
    C(sharp, "#", 0, 2, 2, 0, 0, 0) \
    C(sharp_s, "#S", 0, 2, 2, 0, 0, 0) \
    C(hold, "HOLD", 0, 1, 0, 0, 0, 0) \
    C(holds, "HOLDS", 0, 2, 0, 0, 0, 0) \
    C(sign, "SIGN", 0, 1, 0, 0, 0, 0) \
    C(sharp_greater, "#>", 0, 2, 2, 0, 0, 0) \
    C(dot_s, ".S", 0, 0, 0, 0, 0, 0) \
    C(words, "WORDS", 0, 0, 0, 0, 0, 0) \
    C(star_slash, "*/", 0, 3, 1, 0, 0, 0) \
    C(star_slash_mod, "*/MOD", 0, 3, 2, 0, 0, 0) \
    C(m_star, "M*", 0, 2, 2, 0, 0, 0) \
    C(um_star, "UM*", 0, 2, 2, 0, 0, 0) \
    C(um_div_mod, "UM/MOD", 0, 3, 2, 0, 0, 0) \
    C(fm_div_mod, "FM/MOD", 0, 3, 2, 0, 0, 0) \
    C(sm_div_rem, "SM/REM", 0, 3, 2, 0, 0, 0) \
    C(d_add, "D+", 0, 4, 2, 0, 0, 0) \
    C(d_sub, "D-", 0, 4, 2, 0, 0, 0) \
    C(d_negate, "DNEGATE", 0, 2, 2, 0, 0, 0) \
    C(d_abs, "DABS", 0, 2, 2, 0, 0, 0) \
    C(m_add, "M+", 0, 3, 2, 0, 0, 0) \
    C(d_less, "D<", 0, 4, 1, 0, 0, 0) \
    C(d_equal, "D=", 0, 4, 1, 0, 0, 0) \
    C(du_less, "DU<", 0, 4, 1, 0, 0, 0) \
    C(d_two_mul, "D2*", 0, 2, 2, 0, 0, 0) \
    C(d_two_div, "D2/", 0, 2, 2, 0, 0, 0) \
    C(m_star_slash, "M*/", 0, 4, 2, 0, 0, 0) \
    C(two_literal, "2LITERAL", 0, 2, 0, 0, 0, WEFT_IMM_COMP) \
    C(environment, "ENVIRONMENT?", 0, 2, WEFT_VAR, 0, 0, 0) \
    C(host_id, "HOST-ID", 0, 0, 1, 0, 0, 0) \
    C(unit_idx, "UNIT-IDX", 0, 0, 1, 0, 0, 0) \
    C(sibling_count, "SIBLING-COUNT", 0, 0, 1, 0, 0, 0) \
    C(mesh_process_count, "MESH-PROCESS-COUNT", 0, 0, 1, 0, 0, 0) \
    C(self, "SELF", 0, 0, 1, 0, 0, 0) \
    C(time, "TIME", 0, 0, 1, 0, 0, 0) \
    C(utime, "UTIME", 0, 0, 2, 0, 0, 0) \
    C(ms, "MS", 0, 1, 0, 0, 0, 0) \
    C(send_to, "SEND-HOST", 0, 3, 1, 0, 0, 0) \
    C(send, "SEND-TO", 0, 3, 1, 0, 0, 0) \
    C(receive, "RECEIVE", 0, 0, 4, 0, 0, 0) \
    C(udp_bind, "UDP-BIND", 0, 1, 1, 0, 0, 0) \
    C(udp_reply, "UDP-REPLY", 0, 2, 1, 0, 0, 0) \
    C(sandbox, "SANDBOX", 0, 3, 3, 0, 0, 0) \
    C(accept, "ACCEPT", 0, 2, 1, 0, 0, 0) \
    C(key, "KEY", 0, 0, 1, 0, 0, 0) \
    C(two_value, "2VALUE", 0, 2, 0, 0, 0, 0) \
    C(see, "SEE", 0, 0, 0, 0, 0, 0) \
    C(node, "NODE", 0, 2, 2, 0, 0, 0) \
    H(less_zbranch, "", 1, 2, 0, 0, 0, 0) \
    H(greater_zbranch, "", 1, 2, 0, 0, 0, 0) \
    H(equal_zbranch, "", 1, 2, 0, 0, 0, 0) \
    H(not_equal_zbranch, "", 1, 2, 0, 0, 0, 0) \
    H(zero_equal_zbranch, "", 1, 1, 0, 0, 0, 0) \
    H(dup_zbranch, "", 1, 1, 1, 0, 0, 0) \
    H(lit_less, "", 1, 1, 1, 0, 0, 0) \
    H(lit_greater, "", 1, 1, 1, 0, 0, 0) \
    H(lit_equal, "", 1, 1, 1, 0, 0, 0) \
    H(lit_not_equal, "", 1, 1, 1, 0, 0, 0) \
    H(lit_less_zbranch, "", 2, 1, 0, 0, 0, 0) \
    H(lit_greater_zbranch, "", 2, 1, 0, 0, 0, 0) \
    H(lit_equal_zbranch, "", 2, 1, 0, 0, 0, 0) \
    H(lit_not_equal_zbranch, "", 2, 1, 0, 0, 0, 0) \
    H(dup_lit_less_zbranch, "", 2, 1, 1, 0, 0, 0) \
    H(dup_lit_greater_zbranch, "", 2, 1, 1, 0, 0, 0) \
    H(dup_lit_equal_zbranch, "", 2, 1, 1, 0, 0, 0) \
    H(dup_lit_not_equal_zbranch, "", 2, 1, 1, 0, 0, 0) \
    H(two_dup_less_zbranch, "", 1, 2, 2, 0, 0, 0) \
    H(lit32_fetch, "", 2, 0, 1, 0, 0, 0) \
    H(lit32_store, "", 2, 1, 0, 0, 0, 0) \
    H(lit32_add, "", 2, 1, 1, 0, 0, 0) \
    H(lit32_fetch_add, "", 2, 1, 1, 0, 0, 0) \
    H(lit32_add_c_store, "", 2, 2, 0, 0, 0, 0) \
    H(over_add, "", 0, 2, 2, 0, 0, 0) \
    H(over_or, "", 0, 2, 2, 0, 0, 0) \
    H(over_fetch, "", 0, 2, 3, 0, 0, 0) \
    H(over_c_fetch, "", 0, 2, 3, 0, 0, 0) \
    H(i_add, "", 0, 1, 1, 2, 2, 0) \
    H(i_add_c_fetch, "", 0, 1, 1, 2, 2, 0) \
    H(i_cells, "", 0, 0, 1, 2, 2, 0) \
    H(i_cells_add, "", 0, 1, 1, 2, 2, 0) \
    H(i_fetch, "", 0, 0, 1, 2, 2, 0) \
    H(i_c_fetch, "", 0, 0, 1, 2, 2, 0) \
    H(i_two_fetch, "", 0, 0, 2, 2, 2, 0) \
    H(i_two_store, "", 0, 2, 0, 2, 2, 0) \
    H(dup_mul, "", 0, 1, 1, 0, 0, 0) \
    H(mul_add, "", 0, 3, 1, 0, 0, 0) \
    H(lit_pick, "", 1, 0, 1, 0, 0, 0) \
    H(lit_pick_fetch, "", 1, 0, 1, 0, 0, 0) \
    H(lit_rshift, "", 1, 1, 1, 0, 0, 0) \
    H(rot_lit_add, "", 1, 3, 3, 0, 0, 0) \
    H(swap_one_add, "", 0, 2, 2, 0, 0, 0) \
    H(swap_one_add_swap, "", 0, 2, 2, 0, 0, 0) \
    H(lit_plus_loop, "", 2, 0, 0, 2, 0, 0) \
    H(dup_one_sub, "", 0, 1, 2, 0, 0, 0) \
    H(swap_lit_add, "", 1, 2, 2, 0, 0, 0) \
    H(local, "", 1, 0, 1, 0, 0, 0) \
    H(local_store, "", 1, 1, 0, 0, 0, 0) \
    C(local_word, "(LOCAL)", 0, 2, 0, 0, 0, WEFT_COMP) \
    C(create_named, "(CREATE)", 0, 3, 0, 0, 0, 0) \
    C(state_smart, "(STATE-SMART)", 0, 0, 0, 0, 0, 0) \
    C(forget, "FORGET", 0, 0, WEFT_VAR, 0, 0, 0) \
    C(get_order, "GET-ORDER", 0, 0, WEFT_VAR, 0, 0, 0) \
    C(set_order, "SET-ORDER", 0, 1, WEFT_VAR, 0, 0, 0) \
    C(get_current, "GET-CURRENT", 0, 0, 1, 0, 0, 0) \
    C(set_current, "SET-CURRENT", 0, 1, 0, 0, 0, 0) \
    C(wordlist, "WORDLIST", 0, 0, 1, 0, 0, 0) \
    C(search_wordlist, "SEARCH-WORDLIST", 0, 3, WEFT_VAR, 0, 0, 0) \
    C(synonym, "SYNONYM", 0, 0, 0, 0, 0, 0) \
    C(next_name, "(NEXT-NAME)", 0, 2, 1, 0, 0, 0) \
    C(name_string, "NAME>STRING", 0, 1, 2, 0, 0, 0) \
    C(name_interpret, "NAME>INTERPRET", 0, 1, 1, 0, 0, 0) \
    C(name_compile, "NAME>COMPILE", 0, 1, 2, 0, 0, 0) \
    C(n_to_r, "N>R", 0, 1, WEFT_VAR, 0, 0, WEFT_COMP) \
    C(n_r_from, "NR>", 0, 0, WEFT_VAR, 0, 0, WEFT_COMP) \
    C(allocate, "ALLOCATE", 0, 1, 2, 0, 0, 0) \
    C(free, "FREE", 0, 1, 1, 0, 0, 0) \
    C(resize_in_place, "(RESIZE)", 0, 2, 1, 0, 0, 0) \
    C(xc_size, "XC-SIZE", 0, 1, 1, 0, 0, 0) \
    C(x_size, "X-SIZE", 0, 2, 1, 0, 0, 0) \
    C(xc_fetch, "XC@+", 0, 1, 2, 0, 0, 0) \
    C(xc_store, "XC!+", 0, 2, 1, 0, 0, 0) \
    C(xc_comma, "XC,", 0, 1, 0, 0, 0, 0) \
    C(xemit, "XEMIT", 0, 1, 0, 0, 0, 0) \
    C(xhold, "XHOLD", 0, 1, 0, 0, 0, 0) \
    C(xc_width, "XC-WIDTH", 0, 1, 1, 0, 0, 0) \
    H(lit_float, "", 4, 0, 0, 0, 0, 0) \
    H(f_dup, "FDUP", 0, 0, 0, 0, 0, 0) \
    H(f_drop, "FDROP", 0, 0, 0, 0, 0, 0) \
    H(f_swap, "FSWAP", 0, 0, 0, 0, 0, 0) \
    H(f_over, "FOVER", 0, 0, 0, 0, 0, 0) \
    H(f_rot, "FROT", 0, 0, 0, 0, 0, 0) \
    H(f_nip, "FNIP", 0, 0, 0, 0, 0, 0) \
    H(f_add, "F+", 0, 0, 0, 0, 0, 0) \
    H(f_sub, "F-", 0, 0, 0, 0, 0, 0) \
    H(f_mul, "F*", 0, 0, 0, 0, 0, 0) \
    H(f_div, "F/", 0, 0, 0, 0, 0, 0) \
    H(f_negate, "FNEGATE", 0, 0, 0, 0, 0, 0) \
    H(f_abs, "FABS", 0, 0, 0, 0, 0, 0) \
    H(f_fetch, "F@", 0, 1, 0, 0, 0, 0) \
    H(f_store, "F!", 0, 1, 0, 0, 0, 0) \
    H(f_less, "F<", 0, 0, 1, 0, 0, 0) \
    H(f_less_equal, "F<=", 0, 0, 1, 0, 0, 0) \
    H(f_equal, "F=", 0, 0, 1, 0, 0, 0) \
    H(f_zero_less, "F0<", 0, 0, 1, 0, 0, 0) \
    H(f_zero_equal, "F0=", 0, 0, 1, 0, 0, 0) \
    H(s_to_f, "S>F", 0, 1, 0, 0, 0, 0) \
    C(f_to_s, "F>S", 0, 0, 1, 0, 0, 0) \
    C(d_to_f, "D>F", 0, 2, 0, 0, 0, 0) \
    C(f_to_d, "F>D", 0, 0, 2, 0, 0, 0) \
    C(f_depth, "FDEPTH", 0, 0, 1, 0, 0, 0) \
    C(f_max, "FMAX", 0, 0, 0, 0, 0, 0) \
    C(f_min, "FMIN", 0, 0, 0, 0, 0, 0) \
    C(f_near, "F~", 0, 0, 1, 0, 0, 0) \
    C(f_floor, "FLOOR", 0, 0, 0, 0, 0, 0) \
    C(f_round, "FROUND", 0, 0, 0, 0, 0, 0) \
    C(f_trunc, "FTRUNC", 0, 0, 0, 0, 0, 0) \
    C(f_sqrt, "FSQRT", 0, 0, 0, 0, 0, 0) \
    C(f_power, "F**", 0, 0, 0, 0, 0, 0) \
    C(f_exp, "FEXP", 0, 0, 0, 0, 0, 0) \
    C(f_expm1, "FEXPM1", 0, 0, 0, 0, 0, 0) \
    C(f_ln, "FLN", 0, 0, 0, 0, 0, 0) \
    C(f_lnp1, "FLNP1", 0, 0, 0, 0, 0, 0) \
    C(f_log, "FLOG", 0, 0, 0, 0, 0, 0) \
    C(f_alog, "FALOG", 0, 0, 0, 0, 0, 0) \
    C(f_sin, "FSIN", 0, 0, 0, 0, 0, 0) \
    C(f_cos, "FCOS", 0, 0, 0, 0, 0, 0) \
    C(f_sincos, "FSINCOS", 0, 0, 0, 0, 0, 0) \
    C(f_tan, "FTAN", 0, 0, 0, 0, 0, 0) \
    C(f_asin, "FASIN", 0, 0, 0, 0, 0, 0) \
    C(f_acos, "FACOS", 0, 0, 0, 0, 0, 0) \
    C(f_atan, "FATAN", 0, 0, 0, 0, 0, 0) \
    C(f_atan2, "FATAN2", 0, 0, 0, 0, 0, 0) \
    C(f_sinh, "FSINH", 0, 0, 0, 0, 0, 0) \
    C(f_cosh, "FCOSH", 0, 0, 0, 0, 0, 0) \
    C(f_tanh, "FTANH", 0, 0, 0, 0, 0, 0) \
    C(f_asinh, "FASINH", 0, 0, 0, 0, 0, 0) \
    C(f_acosh, "FACOSH", 0, 0, 0, 0, 0, 0) \
    C(f_atanh, "FATANH", 0, 0, 0, 0, 0, 0) \
    C(sf_fetch, "SF@", 0, 1, 0, 0, 0, 0) \
    C(sf_store, "SF!", 0, 1, 0, 0, 0, 0) \
    C(f_literal, "FLITERAL", 0, 0, 0, 0, 0, WEFT_IMM_COMP) \
    C(f_constant, "FCONSTANT", 0, 0, 0, 0, 0, 0) \
    C(f_value, "FVALUE", 0, 0, 0, 0, 0, 0) \
    C(to_float, ">FLOAT", 0, 2, 1, 0, 0, 0) \
    C(represent, "(REPRESENT)", 0, 2, 3, 0, 0, 0) \
    C(f_dot, "F.", 0, 0, 0, 0, 0, 0) \
    C(fe_dot, "FE.", 0, 0, 0, 0, 0, 0) \
    C(fs_dot, "FS.", 0, 0, 0, 0, 0, 0) \
    C(f_dot_s, "F.S", 0, 0, 0, 0, 0, 0) \
    C(precision, "PRECISION", 0, 0, 1, 0, 0, 0) \
    C(set_precision, "SET-PRECISION", 0, 1, 0, 0, 0, 0) \
    C(open_file, "OPEN-FILE", 0, 3, 2, 0, 0, 0) \
    C(create_file, "CREATE-FILE", 0, 3, 2, 0, 0, 0) \
    C(close_file, "CLOSE-FILE", 0, 1, 1, 0, 0, 0) \
    C(read_chunk, "(READ-FILE)", 0, 3, 2, 0, 0, 0) \
    C(read_line_chunk, "(READ-LINE)", 0, 3, 3, 0, 0, 0) \
    C(write_chunk, "(WRITE-FILE)", 0, 3, 2, 0, 0, 0) \
    C(file_position, "FILE-POSITION", 0, 1, 3, 0, 0, 0) \
    C(reposition_file, "REPOSITION-FILE", 0, 3, 1, 0, 0, 0) \
    C(file_size, "FILE-SIZE", 0, 1, 3, 0, 0, 0) \
    C(resize_file, "RESIZE-FILE", 0, 3, 1, 0, 0, 0) \
    C(delete_file, "DELETE-FILE", 0, 2, 1, 0, 0, 0) \
    C(rename_file, "RENAME-FILE", 0, 4, 1, 0, 0, 0) \
    C(file_status, "FILE-STATUS", 0, 2, 2, 0, 0, 0) \
    C(flush_file, "FLUSH-FILE", 0, 1, 1, 0, 0, 0) \
    C(file_begin, "", 0, 1, 0, 0, 0, 0) \
    C(note_included, "(INCLUDED!)", 0, 2, 0, 0, 0, 0) \
    C(was_included, "(INCLUDED?)", 0, 2, 1, 0, 0, 0) \
    C(beside_source, "(BESIDE)", 0, 2, 2, 0, 0, 0) \
    C(arg, "ARG", 0, 1, 2, 0, 0, 0) \
    C(exit_status, "(EXIT-STATUS)", 0, 1, 0, 0, 0, 0) \
    C(help, "HELP", 0, 0, 0, 0, 0, 0) \
    C(spawn, "SPAWN", 0, 2, WEFT_VAR, 0, 0, 0) \
    C(join, "JOIN", 0, 1, WEFT_VAR, 0, 0, 0) \
    C(join_for, "JOIN-FOR", 0, 2, WEFT_VAR, 0, 0, 0) \
    C(detach, "DETACH", 0, 1, 1, 0, 0, 0) \
    C(kill, "KILL", 0, 1, 1, 0, 0, 0) \
    C(channel, "CHANNEL", 0, 1, 1, 0, 0, 0) \
    C(close_channel, "CLOSE-CHANNEL", 0, 1, 0, 0, 0, 0) \
    H(chan_send, "SEND", 0, 2, 0, 0, 0, 0) \
    C(chan_send_for, "SEND-FOR", 0, 3, 1, 0, 0, 0) \
    H(chan_recv, "RECV", 0, 1, 1, 0, 0, 0) \
    C(chan_recv_for, "RECV-FOR", 0, 2, 2, 0, 0, 0) \
    C(send_bytes, "SEND-BYTES", 0, 3, 0, 0, 0, 0) \
    C(send_bytes_for, "SEND-BYTES-FOR", 0, 4, 1, 0, 0, 0) \
    C(recv_bytes, "RECV-BYTES", 0, 1, 2, 0, 0, 0) \
    C(recv_bytes_for, "RECV-BYTES-FOR", 0, 2, 3, 0, 0, 0) \
    C(send_cells, "SEND-CELLS", 0, 2, WEFT_VAR, 0, 0, 0) \
    C(recv_cells, "RECV-CELLS", 0, 1, WEFT_VAR, 0, 0, 0) \
    C(receive_for, "RECEIVE-FOR", 0, 1, 5, 0, 0, 0) \
    C(monitor, "MONITOR", 0, 1, 1, 0, 0, 0) \
    C(demonitor, "DEMONITOR", 0, 1, 1, 0, 0, 0) \
    C(link, "LINK", 0, 1, 1, 0, 0, 0) \
    C(unlink, "UNLINK", 0, 1, 1, 0, 0, 0) \
    C(trap_exit, "TRAP-EXIT", 0, 1, 0, 0, 0, 0) \
    C(after, "AFTER", 0, 3, 1, 0, 0, 0) \
    C(every, "EVERY", 0, 3, 1, 0, 0, 0) \
    C(cancel, "CANCEL", 0, 1, 1, 0, 0, 0) \
    C(source_of, "SOURCE-OF", 0, 1, 2, 0, 0, 0) \
    C(share_text, "SHARE-TEXT", 0, 3, 0, 0, 0, 0) \
    C(goal, "GOAL", 0, 2, 1, 0, 0, 0) \
    C(peers, "PEERS", 0, 0, WEFT_VAR, 0, 0, 0) \
    C(learns, "LEARNS", 0, 1, 0, 0, 0, 0) \
    C(block_begin, "", 0, 2, 0, 0, 0, 0) \
    C(block_text, "(BLOCK-TEXT)", 0, 2, 0, 0, 0, 0) \
    C(blocks, "(BLOCKS)", 0, 0, 1, 0, 0, 0) \
    C(blocks_store, "(BLOCKS!)", 0, 1, 0, 0, 0, 0) \
    C(spawn_link, "SPAWN-LINK", 0, 2, WEFT_VAR, 0, 0, 0) \
    C(ekey, "EKEY", 0, 0, 1, 0, 0, 0) \
    C(key_ready, "KEY?", 0, 0, 1, 0, 0, 0) \
    C(ekey_ready, "EKEY?", 0, 0, 1, 0, 0, 0) \
    C(xkey_ready, "XKEY?", 0, 0, 1, 0, 0, 0) \
    C(unit_save, "UNIT-SAVE", 0, 0, 1, 0, 0, 0) \
    C(tcp_open, "TCP-OPEN", 0, 2, 2, 0, 0, 0) \
    C(tcp_read, "TCP-READ", 0, 3, 2, 0, 0, 0) \
    C(tcp_write, "(TCP-WRITE)", 0, 3, 2, 0, 0, 0) \
    C(tcp_close, "TCP-CLOSE", 0, 1, 1, 0, 0, 0) \
    C(code, "CODE", 0, 0, 0, 0, 0, 0) \
    C(semicolon_code, ";CODE", 0, 0, 0, 0, 0, WEFT_IMM_COMP) \
    C(end_code, "(END-CODE)", 0, 0, 0, 0, 0, 0) \
    C(assemble, "(ASSEMBLE)", 0, 1, WEFT_VAR, 0, 0, 0) \
    C(assemble_token, "(TOKEN)", 0, 1, 0, 0, 0, 0)
// clang-format on

enum weft_op {
#define ROW(name, ...) WEFT_OP_##name,
    WEFT_OPS(ROW, ROW)
#undef ROW
        WEFT_OP_COUNT
};

struct weft_op_info {
    const char *name; // Forth word; "" if none.
    uint8_t operands;
    int8_t in, out, rin, rout; // out: WEFT_VAR if it depends on data.
    uint8_t flags;
    bool hot; // In the inner interpreter.
};

extern const struct weft_op_info weft_op_info[WEFT_OP_COUNT];

#define ROW(name, ...) int32_t weft_op_##name(struct weft_unit *unit);
#define NONE(name, ...)
WEFT_OPS(NONE, ROW)
#undef ROW
#undef NONE

// Of those in the inner interpreter: what they leave to a function, as if they were not there.
int32_t weft_op_chan_send(struct weft_unit *unit);
int32_t weft_op_chan_recv(struct weft_unit *unit);

// What an operation's function answers; below 0 it is a THROW code.
enum {
    WEFT_NEXT = 0,
    WEFT_REDO,  // Once more, after giving way if the slice is spent: a long primitive's next chunk.
    WEFT_GIVE,  // Done, and the slice ends here.
    WEFT_PARK,  // Once more when the node runs the unit again.
    WEFT_JUMP,  // It has set block->ip itself.
    WEFT_CHILD, // Let the sandbox run, then once more.
    WEFT_HALT,  // The slice ends; the function has set block->status and ip.
    WEFT_FAULTED, // An uncaught THROW has ended the topmost text.
};

#endif // WEFT_FORTH_OPS_H
