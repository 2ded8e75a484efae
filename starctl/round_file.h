// Files of exported rounds, line by line: newline-delimited JSON. JSON, so that
// whoever checks a round needs nothing of ours to read it; lines, so that nobody
// must hold more than one organisation.
#pragma once

#include <fstream>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assessment-svc/upkeep/files.h"
#include "starratings/assessment/v1/round_file.pb.h"

namespace starratings::starctl {

// Of RoundFileHeader.
inline constexpr int kRoundFileFormat = 1;
// More than a dossier that our services can send, in JSON.
inline constexpr size_t kRoundFileLineMost = size_t{64} << 20;

// Not thread-safe.
class RoundFileWriter {
 public:
  // Begins a file, which appears under its name at Publish(). Errors as
  // upkeep::NewFile.
  static absl::StatusOr<RoundFileWriter> Create(const std::string& path);

  absl::Status Write(const assessment::v1::RoundFileLine& line);
  absl::Status Publish();

  // So far.
  int64_t bytes() const { return bytes_; }

 private:
  RoundFileWriter(std::string path, upkeep::NewFile file);

  std::string path_;
  upkeep::NewFile file_;
  std::ofstream out_;
  int64_t bytes_ = 0;
};

// Not thread-safe.
class RoundFileReader {
 public:
  // Returns BAD_FILE if it cannot be opened.
  static absl::StatusOr<RoundFileReader> Open(const std::string& path);

  // The next line; none at the end of the file. Returns BAD_FILE, naming the
  // line, if it is none of ours, or ends without a line feed.
  absl::StatusOr<std::optional<assessment::v1::RoundFileLine>> Next();

  // Of the line read last, from 1.
  int64_t line() const { return line_; }

  // BAD_FILE, naming the line.
  absl::Status Bad(absl::string_view what) const;

 private:
  explicit RoundFileReader(std::string path);

  std::string path_;
  std::ifstream in_;
  int64_t line_ = 0;
  std::string text_;
};

}  // namespace starratings::starctl
