/* The headers are tested by being compiled and linked; nothing is left to do at run time. */
int main(void) { return 0; }
