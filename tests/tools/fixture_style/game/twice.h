/* Allowed: the first file of this name. */
int game_twice(void);
