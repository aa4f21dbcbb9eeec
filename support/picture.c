/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

#include "file.h"

#include <math.h>
#include <png.h>
#include <stdlib.h>

enum { SIDE_MOST = 1 << 15 };

/* [H][W][C] bytes to [C][H][W] floats. */
static void spread(const unsigned char *bytes, const cs_tensor *tensor) {
    const int64_t channels = tensor->shape[0], pixels = tensor->shape[1] * tensor->shape[2];
    for (int64_t c = 0; c < channels; c++)
        for (int64_t i = 0; i < pixels; i++)
            tensor->floats[c * pixels + i] = (float)bytes[i * channels + c] / 255.0f;
}

static bool decode(png_image *image, const char *path, cs_tensor *tensor, cs_message *message) {
    if (image->width > SIDE_MOST || image->height > SIDE_MOST)
        return cs_refuse(message, "%s: %u x %u pixels; at most %d x %d can be read", path, image->width, image->height,
                         SIDE_MOST, SIDE_MOST);
    image->format = image->format & PNG_FORMAT_FLAG_COLOR ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    const int64_t shape[3] = {PNG_IMAGE_PIXEL_CHANNELS(image->format), image->height, image->width};
    unsigned char *bytes = malloc(PNG_IMAGE_SIZE(*image));
    if (!bytes)
        return cs_refuse(message, "%s: no memory for %u x %u pixels", path, image->width, image->height);
    const png_color black = {0, 0, 0};
    bool good = png_image_finish_read(image, &black, bytes, 0, NULL) ||
                cs_refuse(message, "%s: damaged PNG file: %s", path, image->message);
    good = good && cs_tensor_create(tensor, CONVSMITH_F32, 3, shape, message);
    if (good)
        spread(bytes, tensor);
    free(bytes);
    return good;
}

bool cs_picture_read(const char *path, cs_tensor *tensor, cs_message *message) {
    *tensor = (cs_tensor){0};
    int64_t size = 0;
    FILE *stream = cs_file_open(path, &size, message);
    if (!stream)
        return false;
    png_image image = {.version = PNG_IMAGE_VERSION};
    bool good = png_image_begin_read_from_stdio(&image, stream) ||
                cs_refuse(message, "%s: not a PNG file: %s", path, image.message);
    good = good && decode(&image, path, tensor, message);
    png_image_free(&image);
    fclose(stream);
    return good;
}

/* The least and the greatest finite value; 0 and 0 when there is none. */
static void find_range(const float *map, int64_t count, float *least, float *greatest) {
    *least = INFINITY;
    *greatest = -INFINITY;
    for (int64_t i = 0; i < count; i++)
        if (isfinite(map[i])) {
            *least = fminf(*least, map[i]);
            *greatest = fmaxf(*greatest, map[i]);
        }
    if (*least > *greatest)
        *least = *greatest = 0;
}

static unsigned char gray_level(float value, float least, float greatest) {
    if (isnan(value) || !(greatest > least))
        return 0;
    const double level = ((double)value - least) / ((double)greatest - least);
    return (unsigned char)lround(255 * fmin(fmax(level, 0), 1));
}

bool cs_picture_write_map(const char *path, const float *map, int64_t height, int64_t width, cs_message *message) {
    if (height < 1 || width < 1 || height > SIDE_MOST || width > SIDE_MOST)
        return cs_refuse(message, "%s: a picture has 1 to %d rows and columns", path, SIDE_MOST);
    const int64_t count = height * width;
    unsigned char *bytes = malloc((size_t)count);
    if (!bytes)
        return cs_refuse(message, "%s: no memory for the picture", path);
    float least, greatest;
    find_range(map, count, &least, &greatest);
    for (int64_t i = 0; i < count; i++)
        bytes[i] = gray_level(map[i], least, greatest);
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = PNG_FORMAT_GRAY};
    cs_new_file file;
    bool good = cs_new_file_open(&file, path, message);
    if (good && !png_image_write_to_stdio(&image, file.stream, 0, bytes, 0, NULL)) {
        good = cs_refuse(message, "%s: cannot be written: %s", path, image.message);
        cs_new_file_discard(&file);
    } else if (good) {
        good = cs_new_file_commit(&file, message);
    }
    free(bytes);
    return good;
}
