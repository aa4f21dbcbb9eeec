/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading Lua that is data alone: tables of named fields and lists of tables, decimal numbers and strings in double
 * quotes without escapes, with comments to the ends of their lines. What is not as the tables of fields have it is an
 * error of its line.
 */
#ifndef CONVSMITH_LUA_DATA_H
#define CONVSMITH_LUA_DATA_H

#include "convsmith/convsmith.h"
#include <stdbool.h>

/* Over a text that ends with a zero byte and that is the caller's; strings in it are ended by such bytes, too. The
 * thread's locale is to be the plain one. */
typedef struct cs_data_reader {
    const char *path; /* for messages */
    char *at;
    int line;
    convsmith_status status; /* what failed; the detail has the words */
} cs_data_reader;

/* A named place of a table, and how its value is read into the struct that the table fills in. */
typedef struct cs_data_field {
    const char *name;
    bool (*read)(cs_data_reader *r, const struct cs_data_field *field, void *target);
    size_t offset; /* of the target in the struct */
    size_t room;   /* of a string that is copied */
    double least, most;
} cs_data_field;

/* Always false, with CONVSMITH_BAD_RECORD and "PATH:LINE: ...". */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
bool cs_data_refuse(cs_data_reader *r, const char *format, ...);

/* Whether the word stands next, which is then read; the sign that must stand next; nothing may follow. */
bool cs_data_has_word(cs_data_reader *r, const char *word);
bool cs_data_expect_sign(cs_data_reader *r, char sign);
bool cs_data_expect_end(cs_data_reader *r, const char *what);

/* Values, of a field's limits: to a const char * into the text, not empty; to a char[room]; to a double; to whole
 * numbers, int64_t and int32_t. */
bool cs_data_name(cs_data_reader *r, const cs_data_field *field, void *target);
bool cs_data_copied(cs_data_reader *r, const cs_data_field *field, void *target);
bool cs_data_number(cs_data_reader *r, const cs_data_field *field, void *target);
bool cs_data_whole(cs_data_reader *r, const cs_data_field *field, void *target);
bool cs_data_int32(cs_data_reader *r, const cs_data_field *field, void *target);

/* A table that has each of the fields, 32 at most, once, in any order. `what` names it in messages. */
bool cs_data_fields(cs_data_reader *r, const cs_data_field *fields, size_t count, void *target, const char *what);

/* A table of tables, each read by `item`. */
bool cs_data_list(cs_data_reader *r, bool (*item)(cs_data_reader *r, void *target), void *target);

#endif
