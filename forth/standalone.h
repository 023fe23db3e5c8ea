// standalone.h: `weft forth [--strict] [FILE...] [-e TEXT]`: the Forth alone, without a node.
#ifndef WEFT_FORTH_STANDALONE_H
#define WEFT_FORTH_STANDALONE_H

// Interprets the files and the texts of -e in the order given, or standard input if there is
// neither (or for a FILE of "-"). argv[0] is the command's name for its messages. Output goes to
// standard output, errors to standard error. Returns the exit status:
//   0  done, or BYE          64  usage          66  a file cannot be read
//   1..62  the uncaught THROW of minus that number (Forth 2012, table 9.1); 63 for every other.
int weft_forth_standalone(int argc, char **argv);

#endif // WEFT_FORTH_STANDALONE_H
