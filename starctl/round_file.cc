#include "starctl/round_file.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "google/protobuf/util/json_util.h"
#include "starctl/failure.h"

namespace starratings::starctl {
namespace {

using assessment::v1::RoundFileLine;

// What the system says of the last thing it was asked.
std::string Reason() { return errno == 0 ? "cannot be read" : std::strerror(errno); }

// Reads up to a line feed, which must be there.
enum class Read { kLine, kEnd, kCut, kTooLong };
Read ReadLine(std::istream& in, std::string& text) {
  text.clear();
  std::streambuf& bytes = *in.rdbuf();
  for (int byte = bytes.sbumpc(); byte != std::char_traits<char>::eof(); byte = bytes.sbumpc()) {
    if (byte == '\n') return Read::kLine;
    if (text.size() >= kRoundFileLineMost) return Read::kTooLong;
    text.push_back(static_cast<char>(byte));
  }
  return text.empty() ? Read::kEnd : Read::kCut;
}

}  // namespace

RoundFileWriter::RoundFileWriter(std::string path, upkeep::NewFile file)
    : path_(std::move(path)), file_(std::move(file)), out_(file_.temporary(), std::ios::binary) {}

absl::StatusOr<RoundFileWriter> RoundFileWriter::Create(const std::string& path) {
  ASSIGN_OR_RETURN(upkeep::NewFile file, upkeep::NewFile::Create(path));
  return RoundFileWriter(path, std::move(file));
}

absl::Status RoundFileWriter::Write(const RoundFileLine& line) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  const auto printed = google::protobuf::util::MessageToJsonString(line, &text, options);
  if (!printed.ok()) return absl::InternalError(std::string(printed.message()));
  text.push_back('\n');
  errno = 0;
  out_.write(text.data(), static_cast<std::streamsize>(text.size()));
  bytes_ += static_cast<int64_t>(text.size());
  return out_ ? absl::OkStatus() : BadFile(path_, Reason());
}

absl::Status RoundFileWriter::Publish() {
  errno = 0;
  out_.close();
  if (!out_) return BadFile(path_, Reason());
  return file_.Publish();
}

RoundFileReader::RoundFileReader(std::string path)
    : path_(std::move(path)), in_(path_, std::ios::binary) {}

absl::StatusOr<RoundFileReader> RoundFileReader::Open(const std::string& path) {
  errno = 0;
  RoundFileReader reader(path);
  // A folder can be opened, and not read.
  if (!reader.in_ || (reader.in_.peek(), reader.in_.bad())) return BadFile(path, Reason());
  reader.in_.clear();
  return reader;
}

absl::Status RoundFileReader::Bad(absl::string_view what) const {
  return BadFile(absl::StrCat(path_, ":", line_), what);
}

absl::StatusOr<std::optional<RoundFileLine>> RoundFileReader::Next() {
  ++line_;
  switch (ReadLine(in_, text_)) {
    case Read::kLine:
      break;
    case Read::kEnd:
      return std::nullopt;
    case Read::kCut:
      return Bad("the file ends within this line: it is not whole");
    case Read::kTooLong:
      return Bad(absl::StrCat("must have at most ", kRoundFileLineMost, " bytes"));
  }
  RoundFileLine line;
  const auto parsed = google::protobuf::util::JsonStringToMessage(text_, &line);
  if (!parsed.ok()) {
    return Bad(absl::StrCat("is no line of an exported round: ",
                            absl::string_view(parsed.message().data(), parsed.message().size())));
  }
  if (line.line_case() == RoundFileLine::LINE_NOT_SET) {
    return Bad("is no line of an exported round: it says nothing");
  }
  return line;
}

}  // namespace starratings::starctl
