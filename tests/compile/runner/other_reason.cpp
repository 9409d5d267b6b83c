// Fails, but not for the reason it names.
// expect: a message that no compiler prints
int main() { return undeclared; }
