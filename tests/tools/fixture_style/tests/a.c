/* Allowed: two programs may each have a Fixture. Refused: a type that a room has. */
typedef struct Fixture {
    int a;
} Fixture;
typedef int Taken;
