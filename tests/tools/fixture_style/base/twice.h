/* Refused: the second file of this name. */
int base_twice(void);
