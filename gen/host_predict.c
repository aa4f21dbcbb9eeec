/* SPDX-License-Identifier: Apache-2.0
 *
 * host.predict: the library's own prediction (src/predict.h) of a plan that is not compiled yet, on a GPU that need not
 * be there. Its numbers come as tables of Lua and are made what they will be in the kernel's row.
 */
#include "host_predict.h"

#include "src/fit.h"
#include "src/predict.h"

#include <lauxlib.h>
#include <string.h>

/* ---- Fields of the table at the top of the stack ----------------------------------------------------------------- */

static double number(lua_State *lua, const char *name) {
    if (lua_getfield(lua, -1, name) != LUA_TNUMBER)
        luaL_error(lua, "the prediction lacks the number %s", name);
    const double value = lua_tonumber(lua, -1);
    lua_pop(lua, 1);
    return value;
}

static int64_t whole(lua_State *lua, const char *name) { return (int64_t)number(lua, name); }
static int32_t whole32(lua_State *lua, const char *name) { return (int32_t)number(lua, name); }

static bool flag(lua_State *lua, const char *name) {
    lua_getfield(lua, -1, name);
    const bool value = lua_toboolean(lua, -1);
    lua_pop(lua, 1);
    return value;
}

/* Pushes a table; false, and nothing is pushed, where there is none. */
static bool push(lua_State *lua, const char *name) {
    if (lua_getfield(lua, -1, name) == LUA_TTABLE)
        return true;
    lua_pop(lua, 1);
    return false;
}

static void push_needed(lua_State *lua, const char *name) {
    if (!push(lua, name))
        luaL_error(lua, "the prediction lacks the table %s", name);
}

/* ---- The kernel ---------------------------------------------------------------------------------------------------*/

static void read_info(lua_State *lua, convsmith_kernel_info *info) {
    info->name = "the kernel";
    push_needed(lua, "info");
    info->tile_c = whole32(lua, "tile_c");
    info->tile_h = whole32(lua, "tile_h");
    info->tile_w = whole32(lua, "tile_w");
    info->threads = whole32(lua, "threads");
    info->blocks_per_sm = whole32(lua, "blocks_per_sm");
    info->shared_bytes = whole32(lua, "shared_bytes");
    info->schedule = (convsmith_schedule)whole32(lua, "schedule");
    lua_pop(lua, 1);
    push_needed(lua, "key");
    info->key.c_out = whole32(lua, "c_out");
    info->key.layout = (convsmith_layout)whole32(lua, "layout");
    lua_pop(lua, 1);
}

static void read_resident(lua_State *lua, cs_resident_needs *needs) {
    if (!push(lua, "resident"))
        return;
    needs->planes = whole32(lua, "planes");
    needs->fixed_bytes = whole32(lua, "fixed_bytes");
    needs->words = whole32(lua, "words");
    needs->pitch = whole32(lua, "pitch");
    needs->in_parts = flag(lua, "in_parts");
    lua_pop(lua, 1);
}

static void read_gemm(lua_State *lua, cs_gemm_needs *needs) {
    if (!push(lua, "gemm"))
        return;
    needs->columns = whole32(lua, "columns");
    needs->input_bytes = whole32(lua, "input_bytes");
    needs->row_bytes = whole32(lua, "row_bytes");
    needs->operand_bytes = whole32(lua, "operand_bytes");
    needs->staged = whole32(lua, "staged");
    needs->copiers = whole32(lua, "copiers");
    needs->at_once = flag(lua, "at_once");
    needs->planes = flag(lua, "planes");
    lua_pop(lua, 1);
}

static cs_tile_cost read_tile(lua_State *lua, const char *name) {
    push_needed(lua, name);
    const cs_tile_cost tile = {
        .products = (float)number(lua, "products"),
        .special = (float)number(lua, "special"),
        .shared = (float)number(lua, "shared"),
        .issue = (float)number(lua, "issue"),
        .wait = (float)number(lua, "wait"),
        .l2 = (float)number(lua, "l2"),
    };
    lua_pop(lua, 1);
    return tile;
}

static void read_cost(lua_State *lua, cs_cost *cost) {
    push_needed(lua, "cost");
    cost->unit = (cs_product_unit)whole32(lua, "unit");
    luaL_argcheck(lua, (size_t)cost->unit < CS_UNIT_COUNT, 1, "cost.unit is no unit");
    cost->registers = whole32(lua, "registers");
    cost->start = (float)number(lua, "start");
    cost->statistics = read_tile(lua, "statistics");
    cost->apply = read_tile(lua, "apply");
    cost->unaligned_x = read_tile(lua, "unaligned_x");
    cost->unaligned_y = read_tile(lua, "unaligned_y");
    lua_pop(lua, 1);
}

/* ---- The problem and the GPU ------------------------------------------------------------------------------------- */

static void set_strides(int64_t strides[4], convsmith_layout layout, int64_t c, int64_t h, int64_t w) {
    const int64_t nchw[] = {c * h * w, h * w, w, 1}, nhwc[] = {h * w * c, 1, w * c, c};
    memcpy(strides, layout == CONVSMITH_NHWC ? nhwc : nchw, sizeof nchw);
}

/* Contiguous tensors of the kernel's layout. */
static void read_problem(lua_State *lua, convsmith_layout layout, cs_settled *s) {
    convsmith_problem *p = &s->problem;
    push_needed(lua, "problem");
    const struct {
        const char *name;
        int64_t *value;
    } fields[] = {
        {"n", &p->n},
        {"c_in", &p->c_in},
        {"h", &p->h},
        {"w", &p->w},
        {"c_out", &p->c_out},
        {"kh", &p->kh},
        {"kw", &p->kw},
        {"stride_h", &p->stride_h},
        {"stride_w", &p->stride_w},
        {"pad_h", &p->pad_h},
        {"pad_w", &p->pad_w},
        {"dilation_h", &p->dilation_h},
        {"dilation_w", &p->dilation_w},
        {"conv_groups", &p->conv_groups},
        {"groups", &p->groups},
        {"h_out", &s->h_out},
        {"w_out", &s->w_out},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; ++i)
        *fields[i].value = whole(lua, fields[i].name);
    p->dtype = (convsmith_dtype)whole32(lua, "dtype");
    p->eps = 1e-5f;
    s->chain.normalisation = flag(lua, "normalises") ? 0 : -1;
    luaL_argcheck(lua, s->chain.normalisation < 0 || p->groups > 0, 1, "a normalisation is of one group or more");
    s->chain.tensor_count = whole32(lua, "tensors");
    set_strides(p->x_strides, layout, p->c_in, p->h, p->w);
    set_strides(p->y_strides, layout, p->c_out, s->h_out, s->w_out);
    lua_pop(lua, 1);
}

static void read_rates(lua_State *lua, cs_rates *rates) {
    push_needed(lua, "rates");
    *rates = (cs_rates){
        .compute_capability = whole32(lua, "compute_capability"),
        .sms = whole32(lua, "sms"),
        .registers_per_sm = whole32(lua, "registers_per_sm"),
        .shared_per_sm = whole32(lua, "shared_per_sm"),
        .shared_per_block = whole32(lua, "shared_per_block"),
        .warps_per_sm = whole32(lua, "warps_per_sm"),
        .blocks_per_sm = whole32(lua, "blocks_per_sm"),
        .l2_bytes = whole(lua, "l2_bytes"),
        .clock = number(lua, "clock"),
        .dram = number(lua, "dram"),
        .l2 = number(lua, "l2"),
        .special = number(lua, "special"),
        .shared = number(lua, "shared"),
    };
    push_needed(lua, "products");
    for (int i = 0; i < CS_UNIT_COUNT; ++i)
        rates->products[i] = number(lua, cs_unit_name((cs_product_unit)i));
    lua_pop(lua, 2);
}

/* ---- The prediction ---------------------------------------------------------------------------------------------- */

static void push_prediction(lua_State *lua, const cs_prediction *p) {
    lua_newtable(lua);
    lua_pushnumber(lua, p->seconds);
    lua_setfield(lua, -2, "seconds");
    lua_createtable(lua, p->count, 0);
    for (int i = 0; i < p->count; ++i) {
        lua_createtable(lua, 0, 3);
        lua_pushstring(lua, p->launches[i].what);
        lua_setfield(lua, -2, "what");
        lua_pushnumber(lua, p->launches[i].seconds);
        lua_setfield(lua, -2, "seconds");
        lua_pushstring(lua, cs_bound_name(p->launches[i].bound));
        lua_setfield(lua, -2, "bound");
        lua_rawseti(lua, -2, i + 1);
    }
    lua_setfield(lua, -2, "launches");
}

int cs_host_predict(lua_State *lua) {
    convsmith_kernel kernel = {.info = {.name = NULL}};
    cs_settled settled = {.problem = {.n = 0}};
    cs_rates rates;
    cs_prediction prediction;
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 1);
    read_info(lua, &kernel.info);
    read_resident(lua, &kernel.resident);
    read_gemm(lua, &kernel.gemm);
    read_cost(lua, &kernel.cost);
    read_problem(lua, kernel.info.key.layout, &settled);
    read_rates(lua, &rates);
    convsmith_plan plan = {
        .kernel = &kernel,
        .traits = {.device = {CONVSMITH_DEVICE_CUDA, 0},
                   .compute_capability = rates.compute_capability,
                   .multiprocessors = rates.sms,
                   .shared_bytes = rates.shared_per_block},
        .problem = settled.problem,
        .chain = settled.chain,
    };
    const bool fits = cs_fit(&plan, &settled) == CONVSMITH_OK;
    if (fits && cs_predict(&plan, &rates, &prediction)) {
        push_prediction(lua, &prediction);
        return 1;
    }
    lua_pushnil(lua);
    lua_pushstring(lua, fits ? "a block asks for more than a multiprocessor has" : convsmith_detail());
    return 2;
}
