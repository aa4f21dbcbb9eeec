/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "safetensors.h"

#include "file.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "elements are read as they lie in the file");

enum { LENGTH_SIZE = 8, HEADER_MOST = 100000000 /* the format's own limit */ };

/* Where one tensor lies; `json` is its header entry, whose key is its name. */
typedef struct entry {
    const cJSON *json;
    const char *dtype;
    int rank;
    int64_t shape[CS_MAX_RANK];
    int64_t begin, end; /* byte offsets into the data */
} entry;

struct cs_safetensors {
    FILE *stream;
    char *path;
    cJSON *header;
    int64_t data_start;
    entry *entries; /* sorted by begin */
    size_t count;
};

typedef struct dtype_size {
    const char *name;
    int64_t bytes;
} dtype_size;

static const dtype_size dtype_sizes[] = {
    {"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"I64", 8},  {"I32", 4},
    {"I16", 2}, {"I8", 1},  {"U64", 8}, {"U32", 4},  {"U16", 2},     {"U8", 1},      {"BOOL", 1},
};

/* The element size of a type, 0 for one that this program does not know. */
static int64_t size_of_dtype(const char *name) {
    for (size_t i = 0; i < sizeof dtype_sizes / sizeof *dtype_sizes; i++)
        if (strcmp(dtype_sizes[i].name, name) == 0)
            return dtype_sizes[i].bytes;
    return 0;
}

/* ---- One entry of the header ------------------------------------------------------------------------------------- */

/* JSON numbers arrive as doubles: only whole ones that a double holds exactly are sizes. */
static bool whole_number(const cJSON *json, int64_t *value) {
    if (!cJSON_IsNumber(json) || !(json->valuedouble >= 0 && json->valuedouble <= 9007199254740991.0))
        return false;
    *value = (int64_t)json->valuedouble;
    return (double)*value == json->valuedouble;
}

static bool whole_numbers(const cJSON *json, int most, int *count, int64_t *values) {
    *count = 0;
    if (!cJSON_IsArray(json))
        return false;
    const cJSON *item;
    cJSON_ArrayForEach(item, json) {
        if (*count == most || !whole_number(item, &values[*count]))
            return false;
        ++*count;
    }
    return true;
}

static bool parse_entry(const cJSON *json, int64_t data_size, const char *path, entry *e, cs_message *message) {
    const cs_printable_words shown = cs_printable(json->string);
    const char *name = shown.text;
    const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(json, "dtype");
    if (!cJSON_IsString(dtype))
        return cs_refuse(message, "%s: damaged: tensor '%s' has no \"dtype\" such as \"F32\"", path, name);
    *e = (entry){.json = json, .dtype = dtype->valuestring};
    if (!whole_numbers(cJSON_GetObjectItemCaseSensitive(json, "shape"), CS_MAX_RANK, &e->rank, e->shape))
        return cs_refuse(message, "%s: tensor '%s': \"shape\" should be a list of at most %d sizes", path, name,
                         CS_MAX_RANK);
    int64_t offsets[2];
    int given;
    if (!whole_numbers(cJSON_GetObjectItemCaseSensitive(json, "data_offsets"), 2, &given, offsets) || given != 2 ||
        offsets[0] > offsets[1])
        return cs_refuse(message, "%s: damaged: tensor '%s': \"data_offsets\" should be [begin, end]", path, name);
    e->begin = offsets[0];
    e->end = offsets[1];
    if (e->end > data_size)
        return cs_refuse(message,
                         "%s: truncated or damaged: tensor '%s' ends at byte %" PRId64
                         " of the data, the file has %" PRId64,
                         path, name, e->end, data_size);
    const int64_t bytes = size_of_dtype(e->dtype);
    int64_t elements = 0;
    if (bytes &&
        (!cs_shape_count(e->rank, e->shape, (size_t)bytes, &elements) || elements * bytes != e->end - e->begin))
        return cs_refuse(message, "%s: damaged: tensor '%s': %s %s does not fill the %" PRId64 " bytes it is given",
                         path, name, cs_printable(e->dtype).text, cs_shape_text(e->rank, e->shape).text,
                         e->end - e->begin);
    return true;
}

/* ---- All of them ------------------------------------------------------------------------------------------------- */

static bool is_metadata(const cJSON *json) { return strcmp(json->string, "__metadata__") == 0; }

static bool parse_entries(cs_safetensors *file, int64_t data_size, cs_message *message) {
    const cJSON *json;
    cJSON_ArrayForEach(json, file->header) {
        if (is_metadata(json))
            continue;
        if (!cJSON_IsObject(json))
            return cs_refuse(message, "%s: damaged: the header's '%s' should be an object", file->path,
                             cs_printable(json->string).text);
        if (!parse_entry(json, data_size, file->path, &file->entries[file->count], message))
            return false;
        file->count++;
    }
    return true;
}

static int by_place(const void *left, const void *right) {
    const entry *a = left, *b = right;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

static int by_name(const void *left, const void *right) {
    return strcmp((*(const cJSON *const *)left)->string, (*(const cJSON *const *)right)->string);
}

static bool check_coverage(const cs_safetensors *file, int64_t data_size, cs_message *message) {
    int64_t covered = 0;
    for (size_t i = 0; i < file->count; i++) {
        const entry *e = &file->entries[i];
        if (e->begin != covered)
            return cs_refuse(message, "%s: damaged: tensor '%s' begins at byte %" PRId64 " of the data, %s %" PRId64,
                             file->path, cs_printable(e->json->string).text, e->begin,
                             e->begin < covered ? "overlapping the one that ends at" : "after a gap from", covered);
        covered = e->end;
    }
    if (covered != data_size)
        return cs_refuse(message, "%s: damaged: the tensors end at byte %" PRId64 " of the data, the file has %" PRId64,
                         file->path, covered, data_size);
    return true;
}

/* A second tensor of the same name would silently lose one of them. */
static bool check_names(const cs_safetensors *file, const cJSON **sorted, cs_message *message) {
    for (size_t i = 0; i < file->count; i++)
        sorted[i] = file->entries[i].json;
    qsort(sorted, file->count, sizeof *sorted, by_name);
    for (size_t i = 1; i < file->count; i++)
        if (by_name(&sorted[i - 1], &sorted[i]) == 0)
            return cs_refuse(message, "%s: damaged: two tensors are named '%s'", file->path,
                             cs_printable(sorted[i]->string).text);
    return true;
}

static bool index_header(cs_safetensors *file, int64_t data_size, cs_message *message) {
    const size_t most = (size_t)cJSON_GetArraySize(file->header);
    file->entries = calloc(most + 1, sizeof *file->entries);
    const cJSON **sorted = calloc(most + 1, sizeof *sorted);
    bool good = file->entries && sorted;
    if (!good)
        cs_refuse(message, "%s: no memory for its %zu tensors", file->path, most);
    if (good)
        good = parse_entries(file, data_size, message);
    if (good) {
        qsort(file->entries, file->count, sizeof *file->entries, by_place);
        good = check_names(file, sorted, message) && check_coverage(file, data_size, message);
    }
    free(sorted);
    return good;
}

/* ---- The file ---------------------------------------------------------------------------------------------------- */

static bool read_header_size(cs_safetensors *file, int64_t file_size, size_t *size, cs_message *message) {
    uint64_t length;
    if (!cs_file_read(file->stream, &length, LENGTH_SIZE, file->path, message))
        return false;
    if (length > HEADER_MOST || (int64_t)length > file_size - LENGTH_SIZE)
        return cs_refuse(message,
                         "%s: not a .safetensors file, or truncated: its first bytes announce a header of %" PRIu64
                         " bytes, the file has %" PRId64,
                         file->path, length, file_size);
    *size = (size_t)length;
    return true;
}

/* A JSON string may hold a zero byte, written \u0000, where one of C ends: the name "scale\u0000x" would pass for
 * "scale". U+FFFD takes its place. */
static void replace_zeros(char *text, size_t size) {
    static const char zero[] = "\\u0000", substitute[] = "\\ufffd";
    const size_t length = sizeof zero - 1;
    for (size_t i = 0; i + 1 < size; i++)
        if (text[i] == '\\') {
            if (size - i >= length && memcmp(text + i, zero, length) == 0)
                memcpy(text + i, substitute, length);
            i++;
        }
}

/* The header may be padded with blanks behind its closing brace; cJSON wants a terminated string to check for that. */
static bool parse_json(cs_safetensors *file, size_t size, cs_message *message) {
    char *text = malloc(size + 1);
    if (!text)
        return cs_refuse(message, "%s: no memory for its header of %zu bytes", file->path, size);
    bool good = cs_file_read(file->stream, text, size, file->path, message);
    if (good) {
        text[size] = '\0';
        replace_zeros(text, size);
        const char *stopped = NULL;
        if (!memchr(text, '\0', size))
            file->header = cJSON_ParseWithLengthOpts(text, size + 1, &stopped, true);
        if (!cJSON_IsObject(file->header))
            good = cs_refuse(message, "%s: not a .safetensors file, or damaged: its header is not a JSON object",
                             file->path);
    }
    free(text);
    return good;
}

static bool load_header(cs_safetensors *file, int64_t file_size, cs_message *message) {
    size_t size = 0;
    if (!read_header_size(file, file_size, &size, message) || !parse_json(file, size, message))
        return false;
    file->data_start = LENGTH_SIZE + (int64_t)size;
    return index_header(file, file_size - file->data_start, message);
}

cs_safetensors *cs_safetensors_open(const char *path, cs_message *message) {
    cs_safetensors *file = calloc(1, sizeof *file);
    if (!file || !(file->path = strdup(path))) {
        cs_refuse(message, "%s: no memory to open it", path);
        free(file);
        return NULL;
    }
    int64_t size = 0;
    file->stream = cs_file_open(path, &size, message);
    if (!file->stream || !load_header(file, size, message)) {
        cs_safetensors_close(file);
        return NULL;
    }
    return file;
}

void cs_safetensors_close(cs_safetensors *file) {
    if (!file)
        return;
    if (file->stream)
        fclose(file->stream);
    cJSON_Delete(file->header);
    free(file->entries);
    free(file->path);
    free(file);
}

static const entry *find_entry(const cs_safetensors *file, const char *name) {
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->entries[i].json->string, name) == 0)
            return &file->entries[i];
    return NULL;
}

bool cs_safetensors_has(const cs_safetensors *file, const char *name) { return find_entry(file, name) != NULL; }

static bool find_dtype(const char *name, convsmith_dtype *dtype) {
    static const char *const names[] = {[CONVSMITH_F32] = "F32", [CONVSMITH_F16] = "F16", [CONVSMITH_BF16] = "BF16"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) {
            *dtype = (convsmith_dtype)i;
            return true;
        }
    return false;
}

static bool refuse_missing(const cs_safetensors *file, const char *name, cs_message *message) {
    char names[512] = "none";
    size_t used = 0;
    for (size_t i = 0; i < file->count && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "",
                                 cs_printable(file->entries[i].json->string).text);
    return cs_refuse(message, "%s: no tensor '%s'; it has: %s", file->path, name, names);
}

bool cs_safetensors_read(cs_safetensors *file, const char *name, cs_tensor *tensor, cs_message *message) {
    *tensor = (cs_tensor){0};
    const entry *e = find_entry(file, name);
    if (!e)
        return refuse_missing(file, name, message);
    convsmith_dtype dtype;
    if (!find_dtype(e->dtype, &dtype))
        return cs_refuse(message, "%s: tensor '%s' is of type %s; F32, F16 and BF16 can be read", file->path, name,
                         cs_printable(e->dtype).text);
    if (!cs_tensor_create(tensor, dtype, e->rank, e->shape, message))
        return false;
    bool good = fseeko(file->stream, file->data_start + e->begin, SEEK_SET) == 0 ||
                cs_refuse(message, "%s: cannot be read at tensor '%s'", file->path, name);
    good = good && cs_file_read(file->stream, tensor->data, (size_t)(e->end - e->begin), file->path, message);
    if (!good)
        cs_tensor_destroy(tensor);
    return good;
}
