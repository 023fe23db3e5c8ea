// one_user.h: programs that give up root's groups, in a user namespace that has but one user.
//
// Such a namespace may not call setgroups(2) (user_namespaces(7)), and programs like tcpdump treat
// the refusal as fatal. There is nothing to give up: no group of the outside is ours to begin with.
// So the call answers success and does nothing, by a seccomp filter that the program inherits.
#ifndef WEFT_LAB_ONE_USER_H
#define WEFT_LAB_ONE_USER_H

// Installs the filter in this process, for good and for its children. 0 or a negative errno.
int weft_lab_forgive_setgroups(void);

// The words of a command, with what tcpdump needs to stay who it is (-Z root). The same array if it
// is another program or says -Z itself.
char **weft_lab_stay_root(char **words, int count);

#endif // WEFT_LAB_ONE_USER_H
