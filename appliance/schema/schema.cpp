// SPDX-License-Identifier: Apache-2.0
#include "appliance/schema/schema.hpp"

#include "appliance/schema/evaluation.hpp"
#include "appliance/schema/library.hpp"
#include "appliance/schema/site.hpp"

namespace stella::schema {

Schema Schema::compile(canon::Json schema, const Options& options) {
  const auto program = std::make_shared<Program>();
  Library library(*program, options);
  program->root = &library.add_root(std::move(schema));
  compile_all(*program, library, options.formats);
  Schema made;
  made.program_ = program;
  return made;
}

Schema Schema::parse(std::string_view text, const Options& options) {
  return compile(canon::parse_json(text, fault::Code::pack_invalid, options.name, std::size_t{1} << 20), options);
}

Verdict Schema::check(const canon::Json& value) const {
  Sink sink;
  Evaluation evaluation(*program_, value);
  Verdict verdict;
  verdict.valid = evaluation.run(*program_->root, Spot{value}, nullptr, &sink);
  verdict.violations = std::move(sink.violations);
  verdict.has_more = sink.has_more;
  return verdict;
}

}  // namespace stella::schema
