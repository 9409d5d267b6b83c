// Given to the runner as a file that must compile.
int main() { return undeclared; }
