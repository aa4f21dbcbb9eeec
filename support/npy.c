/* SPDX-License-Identifier: Apache-2.0 */
#include "npy.h"

#include "file.h"
#include "src/element.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "elements are read as they lie in the file");

enum {
    MAGIC_SIZE = 6,
    DTYPE_SIZE = 16,
    HEADER_MOST = 1 << 20, /* NumPy itself refuses headers beyond 10,000 bytes */
    HEADER_ALIGNMENT = 64,
};

static const char magic[MAGIC_SIZE] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

/* The three entries of the header's dictionary. */
typedef struct header {
    bool has_descr, has_order, has_shape;
    char descr[DTYPE_SIZE];
    bool fortran_order;
    int rank;
    int64_t shape[CS_MAX_RANK];
} header;

/* ---- The header's text: a Python dictionary literal of three known keys ------------------------------------------ */

typedef struct cursor {
    const char *at, *end;
} cursor;

static void skip_blanks(cursor *c) {
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n'))
        c->at++;
}

static bool take(cursor *c, char wanted) {
    skip_blanks(c);
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

static bool take_word(cursor *c, const char *word) {
    skip_blanks(c);
    const size_t length = strlen(word);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
        return false;
    c->at += length;
    return true;
}

static bool take_string(cursor *c, char *text, size_t size) {
    skip_blanks(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return false;
    const char quote = *c->at++;
    size_t length = 0;
    while (c->at < c->end && *c->at != quote) {
        if (length + 1 == size || *c->at == '\\' || *c->at == '\0')
            return false;
        text[length++] = *c->at++;
    }
    text[length] = '\0';
    return take(c, quote);
}

static bool take_bool(cursor *c, bool *value) {
    *value = take_word(c, "True");
    return *value || take_word(c, "False");
}

static bool take_size(cursor *c, int64_t *value) {
    skip_blanks(c);
    const char *start = c->at;
    *value = 0;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        if (*value > (INT64_MAX - 9) / 10)
            return false;
        *value = *value * 10 + (*c->at++ - '0');
    }
    return c->at > start;
}

static bool take_shape(cursor *c, int *rank, int64_t *shape) {
    *rank = 0;
    if (!take(c, '('))
        return false;
    while (!take(c, ')')) {
        if (*rank == CS_MAX_RANK || !take_size(c, &shape[*rank]))
            return false;
        ++*rank;
        if (!take(c, ',') && !(c->at < c->end && *c->at == ')' && *rank > 1))
            return false;
    }
    return true;
}

static bool take_entry(cursor *c, header *h) {
    char key[DTYPE_SIZE];
    if (!take_string(c, key, sizeof key) || !take(c, ':'))
        return false;
    if (strcmp(key, "descr") == 0 && !h->has_descr)
        return h->has_descr = take_string(c, h->descr, sizeof h->descr);
    if (strcmp(key, "fortran_order") == 0 && !h->has_order)
        return h->has_order = take_bool(c, &h->fortran_order);
    if (strcmp(key, "shape") == 0 && !h->has_shape)
        return h->has_shape = take_shape(c, &h->rank, h->shape);
    return false;
}

static bool parse_header(const char *text, size_t size, header *h) {
    cursor c = {text, text + size};
    if (!take(&c, '{'))
        return false;
    while (!take(&c, '}')) {
        if (!take_entry(&c, h))
            return false;
        if (!take(&c, ',') && !(c.at < c.end && *c.at == '}'))
            return false;
    }
    skip_blanks(&c);
    return c.at == c.end && h->has_descr && h->has_order && h->has_shape;
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

/* The length field is two bytes in version 1, four since version 2. */
static bool read_header_size(FILE *stream, const char *path, size_t *prefix, size_t *size, cs_message *message) {
    unsigned char start[MAGIC_SIZE + 2], length[4] = {0};
    if (!cs_file_read(stream, start, sizeof start, path, message))
        return false;
    if (memcmp(start, magic, MAGIC_SIZE) != 0)
        return cs_refuse(message, "%s: not an .npy file (it does not begin with \\x93NUMPY)", path);
    const int version = start[MAGIC_SIZE];
    if (version < 1 || version > 3 || start[MAGIC_SIZE + 1] != 0)
        return cs_refuse(message, "%s: .npy format version %d.%d; versions 1.0, 2.0 and 3.0 can be read", path, version,
                         start[MAGIC_SIZE + 1]);
    const size_t field = version == 1 ? 2 : 4;
    if (!cs_file_read(stream, length, field, path, message))
        return false;
    *prefix = sizeof start + field;
    *size = length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 | (size_t)length[3] << 24;
    if (*size > HEADER_MOST)
        return cs_refuse(message, "%s: damaged: a header of %zu bytes (at most %d make sense)", path, *size,
                         (int)HEADER_MOST);
    return true;
}

static bool read_header(FILE *stream, const char *path, header *h, size_t *data_start, cs_message *message) {
    size_t prefix = 0, size = 0;
    if (!read_header_size(stream, path, &prefix, &size, message))
        return false;
    char *text = malloc(size + 1);
    if (!text)
        return cs_refuse(message, "%s: no memory for its header of %zu bytes", path, size);
    bool good = cs_file_read(stream, text, size, path, message);
    if (good && !parse_header(text, size, h))
        good =
            cs_refuse(message,
                      "%s: its header is not understood; it should read like {'descr': '<f4', 'fortran_order': False, "
                      "'shape': (1, 3, 240, 320), }, with at most %d dimensions",
                      path, CS_MAX_RANK);
    free(text);
    *data_start = prefix + size;
    return good;
}

/* NumPy's name of a dtype; NULL: it has none. */
static const char *const descriptions[] = {[CONVSMITH_F32] = "<f4", [CONVSMITH_F16] = "<f2", [CONVSMITH_BF16] = NULL};

static bool find_dtype(const char *description, convsmith_dtype *dtype) {
    for (size_t i = 0; i < sizeof descriptions / sizeof *descriptions; i++)
        if (descriptions[i] && strcmp(descriptions[i], description) == 0) {
            *dtype = (convsmith_dtype)i;
            return true;
        }
    return false;
}

static bool check_header(const header *h, const char *path, int64_t data_size, convsmith_dtype *dtype,
                         cs_message *message) {
    if (!find_dtype(h->descr, dtype))
        return cs_refuse(message,
                         "%s: elements of type '%s'; only little-endian float32 ('<f4') and float16 ('<f2') can be "
                         "read (.npy files have no bfloat16): save array.astype('<f4')",
                         path, cs_printable(h->descr).text);
    if (h->fortran_order)
        return cs_refuse(message, "%s: in Fortran order; only C order can be read: save numpy.ascontiguousarray(array)",
                         path);
    const size_t element = cs_element_bytes(*dtype);
    int64_t count;
    if (!cs_shape_count(h->rank, h->shape, element, &count))
        return cs_refuse(message, "%s: a shape of %s is too large to address", path,
                         cs_shape_text(h->rank, h->shape).text);
    const int64_t needed = count * (int64_t)element;
    if (data_size != needed)
        return cs_refuse(message, "%s: %s: shape %s needs %" PRId64 " bytes of elements, the file has %" PRId64, path,
                         data_size < needed ? "truncated" : "extra bytes at its end",
                         cs_shape_text(h->rank, h->shape).text, needed, data_size);
    return true;
}

static bool read_stream(FILE *stream, int64_t file_size, const char *path, cs_tensor *tensor, cs_message *message) {
    header h = {0};
    size_t data_start = 0;
    convsmith_dtype dtype = CONVSMITH_F32;
    if (!read_header(stream, path, &h, &data_start, message) ||
        !check_header(&h, path, file_size - (int64_t)data_start, &dtype, message))
        return false;
    if (!cs_tensor_create(tensor, dtype, h.rank, h.shape, message))
        return false;
    return cs_file_read(stream, tensor->data, cs_tensor_bytes(tensor), path, message);
}

bool cs_npy_read(const char *path, cs_tensor *tensor, cs_message *message) {
    *tensor = (cs_tensor){0};
    int64_t size = 0;
    FILE *stream = cs_file_open(path, &size, message);
    if (!stream)
        return false;
    const bool good = read_stream(stream, size, path, tensor, message);
    fclose(stream);
    if (!good)
        cs_tensor_destroy(tensor);
    return good;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

/* A shape as Python writes a tuple: "(3,)", "(3, 4)". */
static void tuple_text(const cs_tensor *tensor, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "(");
    for (int i = 0; i < tensor->rank; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%" PRId64, i ? ", " : "", tensor->shape[i]);
    snprintf(text + used, size - used, tensor->rank == 1 ? ",)" : ")");
}

static void write_header(FILE *stream, const cs_tensor *tensor) {
    char tuple[24 * CS_MAX_RANK], text[sizeof tuple + 128];
    tuple_text(tensor, tuple, sizeof tuple);
    const int length = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
                                descriptions[tensor->dtype], tuple);
    const int prefix = MAGIC_SIZE + 4;
    const int total = (prefix + length + 1 + HEADER_ALIGNMENT - 1) / HEADER_ALIGNMENT * HEADER_ALIGNMENT;
    const int size = total - prefix;
    fwrite(magic, 1, MAGIC_SIZE, stream);
    fputc(1, stream);
    fputc(0, stream);
    fputc(size & 0xff, stream);
    fputc(size >> 8, stream);
    fprintf(stream, "%-*s\n", size - 1, text);
}

bool cs_npy_write(const char *path, const cs_tensor *tensor, cs_message *message) {
    if (!descriptions[tensor->dtype])
        return cs_refuse(message, "%s: .npy files have no type for elements of %s; widen them to f32 to write them",
                         path, convsmith_dtype_name(tensor->dtype));
    cs_new_file file;
    if (!cs_new_file_open(&file, path, message))
        return false;
    write_header(file.stream, tensor);
    fwrite(tensor->data, 1, cs_tensor_bytes(tensor), file.stream);
    return cs_new_file_commit(&file, message);
}
