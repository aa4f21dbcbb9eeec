-- SPDX-License-Identifier: Apache-2.0
std = "lua54"
max_line_length = 120
-- Templates are text with Lua in it; the generator checks them.
exclude_files = { "templates", "tests/data", "build" }
files["gen"] = { read_globals = { "host", "require_module" } }
files["tests/lua"] = { read_globals = { "require_module" } }
-- A line a time, however long the kernel's name is.
files["tuning"] = { max_line_length = false }
files["**/shapes.lua"] = { read_globals = { "defaults", "conv", "tuning" } }
files["tests/manifest"] = { read_globals = { "defaults", "conv", "tuning" } }
