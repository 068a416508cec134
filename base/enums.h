/* base/enums.h - enumerators and names from one table.
 *
 * A table is a macro of rows X(id, name, ...): an enumerator, its name as people type and read it,
 * and whatever else its room keeps with it.
 *     typedef enum Colour { COLOURS(ENUM_ID) N_COLOURS } Colour;
 *     static const char *const names[N_COLOURS] = {COLOURS(ENUM_NAME)};
 */
#ifndef OGPT_BASE_ENUMS_H
#define OGPT_BASE_ENUMS_H

#define ENUM_ID(id, ...) id,
#define ENUM_NAME(id, name, ...) name,
#define ENUM_MEANING(id, name, meaning, ...) meaning,

#endif
