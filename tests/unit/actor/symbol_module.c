// A module with a function that it does not export.
__attribute__((noinline, used)) static int hidden_one(int number)
{
    return 3 * number + 1;
}

__attribute__((visibility("default"))) int (*symbol_module_hidden(void))(int);

int (*symbol_module_hidden(void))(int)
{
    return hidden_one;
}
