// SPDX-License-Identifier: Apache-2.0
#include "bundles/yaml/document.hpp"

#include <fmt/format.h>
#include <libfyaml.h>

#include "bundles/canon/fields.hpp"
#include "bundles/files/fd.hpp"
#include "bundles/yaml/scalar.hpp"

namespace stella::yaml {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxNodes = 120000, kMaxNames = 90000;  // a name costs what two values do
constexpr std::size_t kMaxNameBytes = 1024;
constexpr std::size_t kMaxMarkBytes = std::size_t{16} << 20;  // long names around many nodes would multiply in `marks`
constexpr std::size_t kLeastBytes = 8;                        // of text for each value, as a guess
constexpr int kMaxDepth = 64;

using Parser = files::Handle<fy_parser, fy_parser_destroy>;
using Diag = files::Handle<fy_diag, fy_diag_destroy>;

struct EventCloser {
  fy_parser* parser;
  void operator()(fy_event* event) const noexcept { fy_parser_event_free(parser, event); }
};
using Event = std::unique_ptr<fy_event, EventCloser>;

Mark mark_at(std::string_view text, std::size_t offset) {
  Mark mark{1, 1};
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      mark = {mark.line + 1, 1};
    } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {
      ++mark.column;
    }
  }
  return mark;
}

std::string text_of(fy_token* token) {
  std::size_t length = 0;
  const char* text = fy_token_get_text(token, &length);
  return text == nullptr ? std::string() : std::string(text, length);
}

// Builds the value from the events of one document, by recursive descent over at most kMaxDepth levels.
class Reader {
 public:
  Reader(std::string_view text, const std::string& name, fault::Code code) : text_(text), code_(code) {
    document_.name = name;
  }

  Document read();

 private:
  [[noreturn]] void refuse(const std::string& what, Mark mark) const {
    throw fault::Error(code_, "yaml", what, fmt::format("{}:{}:{}", document_.name, mark.line, mark.column));
  }
  [[noreturn]] void refuse_syntax() const;
  void start();
  [[nodiscard]] Event next();
  [[nodiscard]] Mark place(const fy_mark* mark) const;
  [[nodiscard]] Mark mark_of(fy_event* event) const { return place(fy_event_start_mark(event)); }
  void check_start(fy_event* event) const;
  void check_extras(fy_event* event) const;
  void remember(const std::string& pointer, Mark Marks::*which, Mark mark);
  canon::Json read_node(fy_event* event, const std::string& pointer, int depth);
  canon::Json read_scalar(fy_event* event) const;
  canon::Json read_sequence(const std::string& pointer, int depth);
  canon::Json read_mapping(const std::string& pointer, int depth);
  std::string read_name(fy_event* event) const;

  std::string_view text_;
  fault::Code code_;
  Diag diag_;
  Parser parser_;
  Document document_;
  std::size_t nodes_ = 0, names_ = 0, mark_bytes_ = 0;
};

void Reader::refuse_syntax() const {
  void* previous = nullptr;
  const fy_diag_error* error = fy_diag_errors_iterate(diag_.get(), &previous);
  if (error == nullptr) refuse("this is not YAML", {1, 1});
  const std::string what = error->msg == nullptr ? "syntax" : canon::printable(error->msg, 200);
  refuse("this is not YAML: " + what, {std::max(error->line, 1), std::max(error->column, 1)});
}

Event Reader::next() {
  Event event(fy_parser_parse(parser_.get()), EventCloser{parser_.get()});
  if (!event) refuse_syntax();
  return event;
}

// libfyaml 0.7.12 marks what follows `&`, `*` or an opening quote; people look for the sign itself.
Mark Reader::place(const fy_mark* mark) const {
  if (mark == nullptr) return {1, 1};
  const std::string_view signs = "&*'\"";
  const bool after_sign = mark->input_pos > 0 && mark->input_pos <= text_.size() && mark->column > 0 &&
                          signs.find(text_[mark->input_pos - 1]) != std::string_view::npos;
  return {mark->line + 1, mark->column + (after_sign ? 0 : 1)};
}

void Reader::check_start(fy_event* event) const {
  fy_document_state* state = event->document_start.document_state;
  if (fy_document_state_version_explicit(state) || fy_document_state_tags_explicit(state)) {
    refuse("a `%` directive stands here; the file needs none", mark_of(event));
  }
}

// Anchors and tags hang on the event of the node that they are written before.
void Reader::check_extras(fy_event* event) const {
  fy_token *anchor = nullptr, *tag = nullptr;
  switch (event->type) {
    case FYET_ALIAS:
      refuse("aliases (`*name`) are not read; write the value itself", mark_of(event));
    case FYET_SCALAR:
      anchor = event->scalar.anchor, tag = event->scalar.tag;
      break;
    case FYET_SEQUENCE_START:
      anchor = event->sequence_start.anchor, tag = event->sequence_start.tag;
      break;
    case FYET_MAPPING_START:
      anchor = event->mapping_start.anchor, tag = event->mapping_start.tag;
      break;
    default:
      refuse("a value is missing here", mark_of(event));
  }
  fy_token* extra = anchor != nullptr ? anchor : tag;
  if (extra == nullptr) return;
  const Mark where = place(fy_token_start_mark(extra));
  refuse(anchor != nullptr ? "anchors (`&name`) are not read; write the value where it is needed"
                           : "tags (`!name`) are not read; the schema says what each value is",
         where);
}

void Reader::remember(const std::string& pointer, Mark Marks::*which, Mark mark) {
  mark_bytes_ += pointer.size();
  if (mark_bytes_ > kMaxMarkBytes) refuse("the names around this place are too long for so many values", mark);
  document_.marks[pointer].*which = mark;
}

canon::Json Reader::read_scalar(fy_event* event) const {
  fy_token* token = event->scalar.value;
  std::string text = text_of(token);
  if (!is_text(text)) refuse("an escape in this text makes a character that is not allowed", mark_of(event));
  if (fy_token_scalar_style(token) != FYSS_PLAIN) return text;
  Scalar scalar = read_plain(text);
  if (!scalar.problem.empty()) refuse(scalar.problem, mark_of(event));
  return std::move(scalar.value);
}

std::string Reader::read_name(fy_event* event) const {
  check_extras(event);
  if (event->type != FYET_SCALAR) refuse("a member name must be text, not a list or a mapping", mark_of(event));
  std::string name = text_of(event->scalar.value);
  const bool plain = fy_token_scalar_style(event->scalar.value) == FYSS_PLAIN;
  if (plain && name == "<<") refuse("merge keys (`<<`) are not read; write the members themselves", mark_of(event));
  if (name.empty()) refuse("a member name is missing here", mark_of(event));
  if (name.size() > kMaxNameBytes) refuse("a member name may have 1,024 bytes at most", mark_of(event));
  if (!is_text(name)) refuse("an escape in this name makes a character that is not allowed", mark_of(event));
  return name;
}

canon::Json Reader::read_sequence(const std::string& pointer, int depth) {
  canon::Json list = canon::Json::array();
  for (Event item = next(); item->type != FYET_SEQUENCE_END; item = next()) {
    list.push_back(read_node(item.get(), fmt::format("{}/{}", pointer, list.size()), depth + 1));
  }
  return list;
}

canon::Json Reader::read_mapping(const std::string& pointer, int depth) {
  canon::Json object = canon::Json::object();
  auto& members = object.get_ref<canon::Json::object_t&>();
  for (Event key = next(); key->type != FYET_MAPPING_END; key = next()) {
    const std::string name = read_name(key.get());
    const std::string member = pointer + pointer_step(name);
    const Mark mark = mark_of(key.get());
    const auto [entry, is_new] = members.try_emplace(name);
    if (!is_new) {
      refuse(fmt::format("`{}` stands here a second time; first in line {}", canon::printable(name, 80),
                         document_.marks.at(member).name.line),
             mark);
    }
    if (++names_ > kMaxNames) refuse("the file has more than 90,000 member names", mark);
    remember(member, &Marks::name, mark);
    const Event value = next();
    entry->second = read_node(value.get(), member, depth + 1);
  }
  return object;
}

canon::Json Reader::read_node(fy_event* event, const std::string& pointer, int depth) {
  check_extras(event);
  if (++nodes_ > kMaxNodes) refuse("the file has more than 120,000 values", mark_of(event));
  if (depth > kMaxDepth) refuse("the file is nested more than 64 levels deep", mark_of(event));
  remember(pointer, &Marks::value, mark_of(event));
  if (event->type == FYET_SCALAR) return read_scalar(event);
  return event->type == FYET_SEQUENCE_START ? read_sequence(pointer, depth) : read_mapping(pointer, depth);
}

// Without a diagnostics object of our own, 0.7.12 prints what it collected on standard error.
void Reader::start() {
  fy_diag_cfg quiet{};
  fy_diag_cfg_default(&quiet);
  quiet.fp = nullptr;
  quiet.output_fn = [](fy_diag*, void*, const char*, std::size_t) {};
  diag_.reset(fy_diag_create(&quiet));
  if (diag_) fy_diag_set_collect_errors(diag_.get(), true);
  fy_parse_cfg config{};
  config.flags = static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE);
  config.diag = diag_.get();
  parser_.reset(fy_parser_create(&config));
  if (!diag_ || !parser_ || fy_parser_set_string(parser_.get(), text_.data(), text_.size()) != 0) {
    throw fault::Error(fault::Code::internal, "yaml", "the YAML reader could not start", document_.name);
  }
}

Document Reader::read() {
  if (text_.empty()) refuse("the file is empty", {1, 1});
  if (text_.size() > kMaxBytes) refuse("the file has more than 1 MiB", {1, 1});
  if (const auto flaw = find_flaw(text_)) refuse(flaw->what, mark_at(text_, flaw->offset));
  if (const auto burden = find_burden(text_)) refuse(burden->what, mark_at(text_, burden->offset));
  start();
  document_.marks.reserve(std::min(text_.size() / kLeastBytes, kMaxNodes));
  if (next()->type != FYET_STREAM_START) refuse("the file is empty", {1, 1});
  const Event start = next();
  if (start->type != FYET_DOCUMENT_START) refuse("the file holds no value", {1, 1});
  check_start(start.get());
  {
    const Event root = next();
    document_.value = read_node(root.get(), "", 1);
  }
  if (const Event end = next(); end->type != FYET_DOCUMENT_END)
    refuse("the document does not end here", mark_of(end.get()));
  const Event after = next();
  if (after->type != FYET_STREAM_END) refuse("a second document starts here; a file holds one", mark_of(after.get()));
  return std::move(document_);
}

enum class Part { value, name };

// The nearest of `pointer` and what is around it that the text has; the whole text always is.
std::string at_in_json(const Document& document, const std::string& pointer, Part part) {
  std::set<std::string> around = {pointer};
  for (std::size_t cut = pointer.rfind('/'); cut != std::string::npos && cut < pointer.size();
       cut = cut == 0 ? std::string::npos : pointer.rfind('/', cut - 1))
    around.insert(pointer.substr(0, cut));
  const auto found = canon::find_places(document.json, around);
  if (found.empty()) return document.name;
  const auto& [nearest, places] = *found.rbegin();  // longer pointers sort behind what they begin with
  const canon::Place place = part == Part::name && nearest == pointer ? places.name : places.value;
  return fmt::format("{}:{}:{}", document.name, place.line, place.column);
}

}  // namespace

std::string Document::at(const std::string& pointer) const {
  if (!json.empty()) return at_in_json(*this, pointer, Part::value);
  for (std::string place = pointer;;) {
    if (const auto found = marks.find(place); found != marks.end()) {
      return fmt::format("{}:{}:{}", name, found->second.value.line, found->second.value.column);
    }
    const std::size_t cut = place.rfind('/');
    if (cut == std::string::npos) return pointer.empty() ? name : fmt::format("{}:{}", name, pointer);
    place.resize(cut);
  }
}

std::string Document::at_key(const std::string& pointer) const {
  if (!json.empty()) return at_in_json(*this, pointer, Part::name);
  const auto found = marks.find(pointer);
  if (found == marks.end() || found->second.name.line == 0) return at(pointer);
  return fmt::format("{}:{}:{}", name, found->second.name.line, found->second.name.column);
}

Document parse(std::string_view text, const std::string& name, fault::Code code) {
  return Reader(text, name, code).read();
}

Document parse_by_name(std::string_view text, const std::string& name, fault::Code code) {
  if (!name.ends_with(".json")) return parse(text, name, code);
  return Document{canon::parse_json(text, code, name, kMaxBytes), name, {}, std::string(text)};
}

}  // namespace stella::yaml
