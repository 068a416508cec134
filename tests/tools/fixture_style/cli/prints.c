/* Allowed: the command line prints and exits. */
void f(void) { printf("/home/somebody/ogpt\n"); exit(0); }
