#include "starctl/cli.h"

int main(int argc, char** argv) { return starratings::starctl::Run(argc, argv); }
