/* Allowed for now. */
void game_of_many(int a, int b, int c, int d, int e, int f, int g, int h);
