/* Refused: uses size_t without including what declares it. */
size_t game_count(void);
