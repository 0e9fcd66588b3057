#include "app/program.h"

int main(int argc, char** argv) {
  return leat::app::run_program(argc, argv);
}
