int one(int x);
int two(int x);
int main(void)
{
    return one(1) + two(1) == 3 ? 0 : 1;
}
