/* SPDX-License-Identifier: Apache-2.0 */
#include "view.h"

cs_view cs_view_nchw(const int64_t s[4]) {
    return (cs_view){{s[0], s[1], s[2], s[3]}, {s[1] * s[2] * s[3], s[2] * s[3], s[3], 1}};
}

cs_view cs_view_nhwc(const int64_t s[4]) {
    return (cs_view){{s[0], s[1], s[2], s[3]}, {s[1] * s[2] * s[3], 1, s[3] * s[1], s[1]}};
}

cs_view cs_view_of(const int64_t sizes[4], const int64_t strides[4]) {
    cs_view view = cs_view_nchw(sizes);
    if (strides[0] || strides[1] || strides[2] || strides[3])
        for (int i = 0; i < 4; i++)
            view.strides[i] = strides[i];
    return view;
}

cs_view cs_view_x(const convsmith_problem *p) {
    return cs_view_of((const int64_t[]){p->n, p->c_in, p->h, p->w}, p->x_strides);
}

cs_view cs_view_y(const convsmith_problem *p) {
    return cs_view_of((const int64_t[]){p->n, p->c_out, cs_problem_h_out(p), cs_problem_w_out(p)}, p->y_strides);
}

cs_view cs_view_weight(const convsmith_problem *p, const convsmith_params *params) {
    return cs_view_of((const int64_t[]){p->c_out, p->c_in / p->conv_groups, p->kh, p->kw}, params->weight_strides);
}

bool cs_view_extent(const cs_view *view, size_t element_size, int64_t *extent) {
    int64_t last = 0, bytes;
    bool empty = false;
    for (int i = 0; i < 4; i++) {
        int64_t reach;
        if (view->sizes[i] < 0 || view->strides[i] < 0)
            return false;
        empty = empty || view->sizes[i] == 0;
        if (!empty && (__builtin_mul_overflow(view->sizes[i] - 1, view->strides[i], &reach) ||
                       __builtin_add_overflow(last, reach, &last)))
            return false;
    }
    *extent = empty ? 0 : last + 1;
    return last < INT64_MAX && !__builtin_mul_overflow(*extent, (int64_t)element_size, &bytes);
}

int64_t cs_view_count(const cs_view *v) { return v->sizes[0] * v->sizes[1] * v->sizes[2] * v->sizes[3]; }

int64_t cs_view_place(const cs_view *view, int64_t i) {
    int64_t place = 0;
    for (int k = 3; k >= 0; k--) {
        place += i % view->sizes[k] * view->strides[k];
        i /= view->sizes[k];
    }
    return place;
}

bool cs_view_is_contiguous(const cs_view *view) {
    const cs_view dense = cs_view_nchw(view->sizes);
    for (int i = 0; i < 4; i++)
        if (view->sizes[i] != 1 && view->strides[i] != dense.strides[i])
            return false;
    return true;
}

static int64_t or_one(int64_t value) { return value ? value : 1; }

static int64_t places(int64_t size, int64_t pad, int64_t kernel, int64_t dilation, int64_t stride) {
    const int64_t room = size + 2 * pad - dilation * (kernel - 1) - 1;
    return room < 0 ? 0 : room / stride + 1;
}

int64_t cs_problem_h_out(const convsmith_problem *p) {
    return places(p->h, p->pad_h, p->kh, p->dilation_h, p->stride_h);
}

int64_t cs_problem_w_out(const convsmith_problem *p) {
    return places(p->w, p->pad_w, p->kw, p->dilation_w, p->stride_w);
}

convsmith_problem cs_problem_in_full(const convsmith_problem *problem) {
    convsmith_problem full = *problem;
    full.stride_h = or_one(full.stride_h);
    full.stride_w = or_one(full.stride_w);
    full.dilation_h = or_one(full.dilation_h);
    full.dilation_w = or_one(full.dilation_w);
    full.conv_groups = or_one(full.conv_groups);
    const cs_view x = cs_view_x(&full), y = cs_view_y(&full);
    for (int i = 0; i < 4; i++) {
        full.x_strides[i] = x.strides[i];
        full.y_strides[i] = y.strides[i];
    }
    return full;
}

convsmith_problem cs_problem_of(const convsmith_key *key) {
    return (convsmith_problem){
        .c_in = key->c_in,
        .c_out = key->c_out,
        .kh = key->kh,
        .kw = key->kw,
        .stride_h = key->stride_h,
        .stride_w = key->stride_w,
        .pad_h = key->pad_h,
        .pad_w = key->pad_w,
        .dilation_h = key->dilation_h,
        .dilation_w = key->dilation_w,
        .conv_groups = key->conv_groups,
        .dtype = key->dtype,
        .math = key->math,
        .epilogue = key->epilogue,
    };
}

convsmith_problem cs_problem_of_row(const convsmith_kernel_info *info) {
    convsmith_problem problem = cs_problem_of(&info->key);
    problem.n = info->ref_n;
    problem.h = info->ref_h;
    problem.w = info->ref_w;
    problem.groups = info->ref_groups;
    problem.eps = 1e-5f;
    problem = cs_problem_in_full(&problem);
    cs_problem_lay_out(&problem, info->key.layout);
    return problem;
}

void cs_problem_lay_out(convsmith_problem *problem, convsmith_layout layout) {
    cs_view (*const contiguous)(const int64_t *) = layout == CONVSMITH_NHWC ? cs_view_nhwc : cs_view_nchw;
    const convsmith_problem full = cs_problem_in_full(problem);
    const cs_view x = contiguous((const int64_t[]){full.n, full.c_in, full.h, full.w}),
                  y = contiguous(
                      (const int64_t[]){full.n, full.c_out, cs_problem_h_out(&full), cs_problem_w_out(&full)});
    for (int i = 0; i < 4; i++) {
        problem->x_strides[i] = x.strides[i];
        problem->y_strides[i] = y.strides[i];
    }
}
