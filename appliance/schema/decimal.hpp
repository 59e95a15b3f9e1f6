// SPDX-License-Identifier: Apache-2.0
// Exact arithmetic on numbers as they are written: 0.0075 is a multiple of 0.0001, whatever their doubles are. Any
// thread.
#pragma once

namespace stella::schema {

// Both finite, `divisor` above 0. A double stands for the shortest decimal that reads back as it.
[[nodiscard]] bool is_multiple(double value, double divisor);

}  // namespace stella::schema
