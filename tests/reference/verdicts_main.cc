// What the verifier finds wrong with schemes. Reads a line for each: the number of a
// random small one, or a text in base64; prints a JSON object for each.
#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/strings/escaping.h"
#include "nlohmann/json.hpp"
#include "rating-svc/verify/random_schemes.h"
#include "rating-svc/verify/verify.h"

int main() {
  using nlohmann::json;
  namespace verify = starratings::verify;
  std::string line;
  while (std::getline(std::cin, line)) {
    std::string text;
    const auto seed = static_cast<uint32_t>(std::strtoul(line.c_str(), nullptr, 10));
    if (std::to_string(seed) == line) {
      text = verify::Author(seed).Write();
    } else if (!absl::Base64Unescape(line, &text)) {
      return 2;
    }
    json issues = json::array();
    for (const verify::Issue& issue : verify::Verify(text).issues) {
      issues.push_back({issue.code, issue.rule_id, issue.message});
    }
    std::cout << json{{"text", text}, {"issues", issues}} << "\n";
  }
}
