// linearizable_check FILE: whether a recorded history is linearizable. Exits
// with 0 if it is, 1 if it is not or nobody can tell, 2 if it cannot be read.
#include <fstream>
#include <iostream>

#include "tests/linearizable/checker.h"
#include "tests/linearizable/history.h"

namespace linearizable = starratings::linearizable;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: linearizable_check FILE\n";
    return 2;
  }
  std::ifstream in(argv[1]);
  if (!in) {
    std::cerr << "linearizable_check: cannot open " << argv[1] << "\n";
    return 2;
  }
  const auto history = linearizable::ReadHistory(in);
  if (!history.ok()) {
    std::cerr << "linearizable_check: " << history.status().message() << "\n";
    return 2;
  }
  const linearizable::Verdict verdict = linearizable::Check(*history);
  switch (verdict.kind) {
    case linearizable::Verdict::Kind::kLinearizable:
      std::cout << "linearizable: " << history->size() << " operations\n";
      return 0;
    case linearizable::Verdict::Kind::kNotLinearizable:
      std::cout << "not linearizable: " << verdict.key << ": " << verdict.explanation << "\n";
      return 1;
    case linearizable::Verdict::Kind::kGaveUp:
      std::cout << "gave up: " << verdict.key << ": " << verdict.explanation << "\n";
      return 1;
  }
}
