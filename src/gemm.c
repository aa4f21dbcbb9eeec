/* SPDX-License-Identifier: Apache-2.0 */
#include "gemm.h"
#include "checked.h"

#include <string.h>

#define CHANNELS 64                   /* of a tile */
#define MAX_BOX 256                   /* pixels in each direction that the copy engine steps over at once */
#define LEAST_PITCH 8                 /* a warp's columns step over eight pixels */
#define PITCH 4                       /* pixels of which that of a tile is a multiple */
#define PLANE_PITCH 8                 /* the same in planes, where boxes begin at multiples of 16 bytes */
#define COPY_CHANNELS 64              /* of a block that copies x */
#define COPY_PIXELS 64                /* likewise */
#define FIRST_ROUNDS 2                /* tiles of a block whose samples are copied before the convolution begins */
#define COPY_RATE 3                   /* bytes of x that a block copies in a cycle, beside its products */
#define PRODUCT_BYTES 32              /* of a pixel's channels; a product of n columns takes n / 2 cycles */
#define MAX_STRIDE ((int64_t)1 << 40) /* bytes, of the copy engine */

static int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t round_up(int64_t a, int64_t b) { return divide_up(a, b) * b; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t greatest(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t greatest_divisor(int64_t a, int64_t b) { return b == 0 ? a : greatest_divisor(b, a % b); }

/* How far the taps that read one box reach beyond an output's first pixel, in steps of the stride. */
typedef struct reach {
    int64_t rows, cols;
} reach;

/* In one direction: so many of the first taps begin a box each, the others lie whole steps behind one of those. */
static int64_t reach_along(int64_t taps, int64_t stride, int64_t dilation) {
    const int64_t boxes = least(taps, stride / greatest_divisor(stride, dilation));
    return (taps - 1) / boxes * boxes * dilation / stride;
}

static reach reach_of(const convsmith_problem *p) {
    return (reach){reach_along(p->kh, p->stride_h, p->dilation_h), reach_along(p->kw, p->stride_w, p->dilation_w)};
}

/* The most pixels of a box in one direction. */
static int64_t most_pixels(int64_t stride) { return (MAX_BOX - 1) / stride + 1; }

/* Rows of a tile whose inputs lie `pitch` pixels a row; 0 where it has no room for one. */
static int64_t rows_for(const cs_gemm_needs *needs, const convsmith_problem *p, reach r, int64_t pitch) {
    const int64_t read = needs->columns + r.rows * pitch + r.cols;
    if (pitch > most_pixels(p->stride_w) || read * needs->row_bytes > needs->input_bytes)
        return 0;
    return greatest(0, least(needs->columns / pitch, most_pixels(p->stride_h) - r.rows));
}

/* Pixels of x from one row of a tile to the next. */
static int64_t pitch_for(const cs_gemm_needs *needs, int64_t cols, reach r) {
    return round_up(greatest(LEAST_PITCH, cols + r.cols), needs->planes ? PLANE_PITCH : PITCH);
}

/* What so many tiles cost: where rows are cut, their parts are written one by one, which takes a quarter longer; pixels
 * of contiguous channels always are. */
static int64_t cost_of(const convsmith_kernel *kernel, int64_t tiles, bool cut) {
    return tiles * (kernel->info.key.layout == CONVSMITH_NCHW && cut ? 5 : 4);
}

/* The tile that covers an image at the least cost; rows whole or, until a part's all fit, in parts of multiples of
 * eight. In planes parts of rows do not follow each other. */
static bool choose_tile(const convsmith_kernel *kernel, const convsmith_problem *p, const cs_conv_args *args,
                        cs_gemm *tile) {
    const reach r = reach_of(p);
    const int64_t h_out = args->h_out, w_out = args->w_out;
    int64_t least_cost = INT64_MAX, rows = 0;
    for (int64_t parts = divide_up(w_out, kernel->gemm.columns); parts <= divide_up(w_out, 8) && rows < h_out;
         ++parts) {
        const int64_t cols = parts == 1 ? w_out : round_up(divide_up(w_out, parts), 8);
        const int64_t pitch = pitch_for(&kernel->gemm, cols, r);
        const int64_t most = kernel->gemm.planes && parts > 1 ? 1 : h_out;
        rows = least(most, rows_for(&kernel->gemm, p, r, pitch));
        if (rows == 0)
            continue;
        const int64_t cost = cost_of(kernel, divide_up(h_out, rows) * divide_up(w_out, cols), cols < w_out);
        if (cost >= least_cost)
            continue;
        least_cost = cost;
        tile->rows = (int32_t)rows;
        tile->cols = (int32_t)cols;
        tile->pitch = (int32_t)pitch;
        tile->box_rows = (int32_t)(rows + r.rows);
    }
    return least_cost < INT64_MAX;
}

/* A tensor of the indices n, c, h, w, those in the order `index`. */
static cs_gemm_tensor tensor_of(const int64_t sizes[4], const int64_t strides[4], const int index[4],
                                int64_t element_bytes) {
    cs_gemm_tensor t = {{sizes[index[0]]}, {0}};
    int64_t covered = round_up(t.sizes[0] * element_bytes, CS_TENSOR_ALIGNMENT);
    for (int i = 0; i < 3; ++i) {
        t.sizes[i + 1] = sizes[index[i + 1]];
        t.strides[i] = t.sizes[i + 1] > 1 ? strides[index[i + 1]] * element_bytes : covered;
        covered = t.strides[i] * t.sizes[i + 1];
    }
    return t;
}

/* The order of the indices n, c, h, w of a layout, the contiguous one first. */
static const int planes_first[] = {3, 2, 1, 0}, pixels_first[] = {1, 3, 2, 0};

/* Whether an image is one row, its pixels next to each other. */
static bool is_one_row(const int64_t strides[4], const convsmith_problem *p) {
    return (p->w == 1 || strides[3] == 1) && (p->h == 1 || strides[2] == p->w);
}

cs_gemm_tensor cs_gemm_x(const convsmith_kernel *kernel, const convsmith_problem *p) {
    const int64_t sizes[] = {p->n, p->c_in, p->h, p->w};
    const int64_t one_row[] = {1, p->n, p->c_in, p->h * p->w}, along[] = {0, p->x_strides[0], p->x_strides[1], 1};
    if (kernel->gemm.planes)
        return tensor_of(one_row, along, planes_first, kernel->gemm.operand_bytes);
    return tensor_of(sizes, p->x_strides, pixels_first, kernel->gemm.operand_bytes);
}

cs_gemm_tensor cs_gemm_copy(const convsmith_kernel *kernel, const convsmith_problem *p, const cs_gemm *gemm) {
    const int64_t pixels[] = {gemm->copy_channels, p->w, p->h, p->n}, planes[] = {gemm->plane, p->c_in, p->n, 1};
    cs_gemm_tensor t;
    int64_t covered = kernel->gemm.operand_bytes;
    memcpy(t.sizes, kernel->gemm.planes ? planes : pixels, sizeof t.sizes);
    for (int i = 0; i < 3; ++i)
        t.strides[i] = covered *= t.sizes[i];
    return t;
}

cs_gemm_tensor cs_gemm_y(const convsmith_kernel *kernel, const convsmith_problem *p, const cs_conv_args *args) {
    const int64_t sizes[] = {p->n, p->c_out, args->h_out, args->w_out};
    const bool pixels = kernel->info.key.layout == CONVSMITH_NHWC;
    return tensor_of(sizes, p->y_strides, pixels ? pixels_first : planes_first, kernel->gemm.operand_bytes);
}

/* Whether the copy engine can reach the tensor as it is, if it begins at a multiple of 16 bytes: as its manual has it,
 * each stride is a multiple of the one before, and steps over all that that covers. */
static bool is_reachable(const cs_gemm_tensor *t, int64_t element_bytes) {
    int64_t before = CS_TENSOR_ALIGNMENT, covered = t->sizes[0] * element_bytes;
    for (int i = 0; i < 3; ++i) {
        if (t->strides[i] < covered || t->strides[i] >= MAX_STRIDE || t->strides[i] % before != 0)
            return false;
        before = t->strides[i];
        covered = t->strides[i] * t->sizes[i + 1];
    }
    return true;
}

/* Whether x lies as the kernel reads it. (Floats are rounded on their way to the copy.) */
static bool has_order(const convsmith_kernel *kernel, const convsmith_problem *p) {
    if (kernel->gemm.planes)
        return is_one_row(p->x_strides, p) && is_one_row(p->y_strides, p);
    return kernel->info.key.layout == CONVSMITH_NHWC && kernel->gemm.operand_bytes == 2;
}

static bool reads_x(const convsmith_kernel *kernel, const convsmith_problem *p) {
    const cs_gemm_tensor x = cs_gemm_x(kernel, p);
    return has_order(kernel, p) && is_reachable(&x, kernel->gemm.operand_bytes);
}

/* A kernel of planes takes an image as one row if y's is one; else its rows lie in the copy as in a tile. */
static bool fix_planes(const cs_gemm_needs *needs, const convsmith_problem *p, cs_conv_args *args) {
    const bool one_row = is_one_row(p->y_strides, p);
    const int64_t line = one_row ? p->w : pitch_for(needs, p->w, (reach){0, 0});
    int64_t pixels;
    if (!cs_product((const int64_t[]){p->h, line}, 2, &pixels) || pixels > INT32_MAX - COPY_PIXELS)
        return false;
    args->gemm.line = (int32_t)line;
    args->gemm.plane = (int32_t)round_up(pixels, PLANE_PITCH);
    if (!one_row)
        return true;
    args->h_out = 1;
    args->w_out = (int32_t)pixels;
    args->y_strides[2] = pixels;
    args->y_strides[3] = 1;
    return true;
}

/* Places of a row of y's planes in shared memory: the least that the copy engine takes or, where it cuts off what is
 * beyond y, 16 bytes more, if rows fall into different banks by that. 0 where there is no room. */
static int64_t staged_width(const cs_gemm_needs *needs, const cs_conv_args *args) {
    const int64_t vector = CS_TENSOR_ALIGNMENT / needs->operand_bytes;
    const int64_t least_width = round_up(args->gemm.cols, vector), apart = least_width + vector;
    if (args->tiles_w == 1 && apart % (2 * vector) != 0 && apart <= MAX_BOX && args->gemm.rows * apart <= needs->staged)
        return apart;
    return args->gemm.rows * least_width <= needs->staged ? least_width : 0;
}

/* The same of y as it is, whichever its layout; 0 where the copy engine does not write it: it writes whole 16 bytes, of
 * which the last may not reach beyond a row. Of pixels it writes whole rows alone: those of a tile, with what is no
 * output at their ends. */
static int64_t stored_width(const convsmith_kernel *kernel, const cs_settled *s, const cs_conv_args *args) {
    const cs_gemm_tensor y = cs_gemm_y(kernel, &s->problem, args);
    const bool whole = y.sizes[0] * kernel->gemm.operand_bytes % CS_TENSOR_ALIGNMENT == 0;
    if (!whole || !is_reachable(&y, kernel->gemm.operand_bytes))
        return 0;
    if (kernel->info.key.layout == CONVSMITH_NCHW)
        return staged_width(&kernel->gemm, args);
    return kernel->gemm.operand_bytes == 2 && args->tiles_w == 1 ? args->gemm.pitch : 0;
}

static bool fix_copy(const cs_gemm_needs *needs, const cs_settled *s, cs_gemm *gemm, cs_gemm_sizes *sizes) {
    const convsmith_problem *p = &s->problem;
    const int64_t channels = needs->planes ? p->c_in : round_up(p->c_in, CS_TENSOR_ALIGNMENT / needs->operand_bytes);
    int64_t pixels = gemm->plane;
    gemm->copy_channels = (int32_t)channels;
    /* A block knows its pixels by 32-bit numbers. */
    if (!needs->planes && (!cs_product((const int64_t[]){p->h, p->w}, 2, &pixels) || pixels > INT32_MAX - COPY_PIXELS))
        return false;
    const int64_t blocks[] = {p->n, divide_up(pixels, COPY_PIXELS), divide_up(channels, COPY_CHANNELS)};
    const int64_t bytes[] = {p->n, pixels, channels, needs->operand_bytes};
    return cs_product(blocks, 3, &sizes->copy_blocks) && sizes->copy_blocks <= INT32_MAX &&
           cs_product(bytes, 4, &sizes->copy_bytes);
}

/* Whether the convolving blocks can copy x, if it begins at a multiple of 16 bytes: its planes are contiguous, and
 * begin and end at such. */
static bool copies_aside(const convsmith_kernel *kernel, const convsmith_problem *p, const cs_gemm_sizes *sizes) {
    const int64_t vector = CS_TENSOR_ALIGNMENT / kernel->gemm.operand_bytes;
    return kernel->gemm.copiers > 0 && p->x_strides[3] == 1 && p->x_strides[2] == p->w &&
           p->x_strides[1] % vector == 0 && p->x_strides[0] % vector == 0 && p->h * p->w % vector == 0 &&
           sizes->copy_blocks <= INT32_MAX / 4; /* of their units; blocks take some beyond the last */
}

/* How many samples the blocks can copy while they multiply all tiles: whole units, whatever they lack of channels. */
static int64_t copied_aside(const cs_gemm_needs *needs, const convsmith_problem *p, int64_t tiles) {
    const int64_t unit_bytes = round_up(p->c_in, COPY_CHANNELS) * needs->operand_bytes; /* of a pixel */
    const int64_t products = divide_up(p->c_in * needs->operand_bytes, PRODUCT_BYTES) * p->kh * p->kw;
    return tiles * products * needs->columns / 2 * COPY_RATE / unit_bytes / (p->h * p->w);
}

void cs_gemm_share_copy(const convsmith_kernel *kernel, const convsmith_problem *p, int64_t blocks,
                        cs_gemm_sizes *sizes) {
    sizes->copied = p->n;
    if (!copies_aside(kernel, p, sizes))
        return;
    const int64_t begun = divide_up(FIRST_ROUNDS * blocks, sizes->tiles / p->n);
    const int64_t first = greatest(begun, p->n - copied_aside(&kernel->gemm, p, sizes->tiles));
    if (first >= p->n)
        return;
    sizes->copied = first;
    sizes->marks_bytes = round_up((p->n + 1) * (int64_t)sizeof(uint64_t), CS_TENSOR_ALIGNMENT);
}

bool cs_gemm_fit(const convsmith_kernel *kernel, const cs_settled *s, cs_conv_args *args, cs_gemm_sizes *sizes) {
    const cs_gemm_needs *needs = &kernel->gemm;
    *sizes = (cs_gemm_sizes){.copies = !reads_x(kernel, &s->problem)};
    if (needs->planes && !fix_planes(needs, &s->problem, args))
        return false;
    if (!choose_tile(kernel, &s->problem, args, &args->gemm) || !fix_copy(needs, s, &args->gemm, sizes))
        return false;
    args->tiles_h = (int32_t)divide_up(args->h_out, args->gemm.rows);
    args->tiles_w = (int32_t)divide_up(args->w_out, args->gemm.cols);
    args->channel_blocks = (int32_t)divide_up(s->problem.c_out, CHANNELS);
    args->gemm.width = (int32_t)stored_width(kernel, s, args);
    const int64_t tiles[] = {s->problem.n, args->tiles_h, args->tiles_w, args->channel_blocks};
    if (!cs_product(tiles, 4, &sizes->tiles) || sizes->tiles > INT32_MAX / 2) /* blocks step beyond the last */
        return false;
    return true;
}

/* Blocks that wait for each other's moments have two tiles each under way. */
static bool normalises_at_once(const convsmith_kernel *kernel, const cs_conv_args *args, int64_t blocks) {
    return kernel->gemm.at_once && (int64_t)args->tiles_h * args->tiles_w * args->channel_blocks <= 2 * blocks;
}

bool cs_gemm_place_values(const convsmith_kernel *kernel, const cs_settled *s, int64_t blocks, cs_conv_args *args,
                          cs_gemm_sizes *sizes) {
    const convsmith_problem *p = &s->problem;
    if (s->chain.normalisation < 0)
        return true;
    if (!normalises_at_once(kernel, args, blocks)) {
        const int64_t values[] = {sizes->tiles, CHANNELS, kernel->gemm.columns, (int64_t)sizeof(float)};
        args->gemm.width = 0;
        return cs_product(values, 4, &sizes->values_bytes);
    }
    const int64_t of_group = p->c_out / p->groups;
    while (args->gemm.joined < CS_MOST_JOINED && of_group % (2 << args->gemm.joined) == 0)
        ++args->gemm.joined;
    args->gemm.at_once = true;
    const int64_t words[] = {p->n, p->c_out >> args->gemm.joined, args->tiles_h, args->tiles_w,
                             (int64_t)sizeof(cs_moments)};
    return cs_product(words, 5, &sizes->published_bytes);
}
