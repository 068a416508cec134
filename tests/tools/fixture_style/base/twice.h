/* Refused: the second file of this name. */
int err_twice(void);
