// Nothing is wrong here: the runner has to notice.
// expect: error
int main() {}
